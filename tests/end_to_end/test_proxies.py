"""The proxies of docs/proxies.md, with the files of `deploy/`, in front of a web server: real ones, over https."""

import json
import os
import re
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import pytest

from benchmarks.installation.installation import EMAIL, PASSWORD, Installation
from benchmarks.installation.processes import TIME_LIMIT, Session, free_port, wait_until
from benchmarks.installation.servers import ServiceMissing
from tests.databases import new_database
from tests.end_to_end.proxy_files import NAME, PROXIES, SHORT_IDLE, Places, add_cloudflare
from tests.end_to_end.reverse_proxies import ReverseProxy, make_places, running
from tests.end_to_end.slow_link import slow_link
from tests.forked_processes import installed
from tests.test_routes import ROWS

pytestmark = pytest.mark.slow

THREADS = 8
# Seconds. gunicorn's default is to close an idle connection after 2 s.
IDLE = 3
# What visitors get while the web server restarts. The other proxies let them wait.
UNTIL_RESTARTED = {"nginx": {502}, "apache2": {502, 503}, "caddy": set(), "haproxy": set()}
SETTINGS = {
    "ALERTCHECK_HTTPS": "1",
    "ALERTCHECK_TRUSTED_PROXIES": "1",
    "ALERTCHECK_ALLOWED_HOSTS": NAME,
    "ALERTCHECK_PUBLIC_URL": f"https://{NAME}",
}


@pytest.fixture(scope="module")
def access_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gunicorn's log of the requests, with the port at the proxy's end of each connection."""
    return tmp_path_factory.mktemp("access") / "log"


@pytest.fixture(scope="module")
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, access_log: Path
) -> Iterator[Installation]:
    """An installation with one web server, as behind a proxy."""
    logged = f"--access-logfile={access_log} --access-logformat='%(U)s %({{REMOTE_PORT}}e)s'"
    folder = tmp_path_factory.mktemp("i")
    with (
        new_database("sqlite", request, folder) as url,
        installed(url, folder, GUNICORN_CMD_ARGS=logged, **SETTINGS) as installation,
    ):
        installation.stack.start_web(threads=THREADS)
        yield installation


@pytest.fixture(scope="module")
def web_port(installation: Installation) -> int:
    return int(installation.stack.children[0].name.rpartition("-")[2])


@pytest.fixture(scope="module", params=PROXIES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def proxy(name: str, tmp_path_factory: pytest.TempPathFactory, web_port: int) -> Iterator[ReverseProxy]:
    with _run(name, make_places(tmp_path_factory.mktemp(name) / "p", web_port)) as proxy:
        yield proxy


@contextmanager
def _run(name: str, places: Places, changes: dict[str, str] | None = None) -> Iterator[ReverseProxy]:
    with ExitStack() as stack:
        try:
            proxy = stack.enter_context(running(name, places, changes))
        except ServiceMissing as missing:
            pytest.skip(str(missing))
        yield proxy


def test_a_member_signs_in_over_https_and_sends_a_test(proxy: ReverseProxy, installation: Installation) -> None:
    visitor = proxy.visit().sign_in(EMAIL, PASSWORD)
    (cookie,) = CookieJar.__iter__(visitor.http.cookies)
    destination = installation.add_destination("/accepted")

    response = visitor.post(f"/w/harbor/destinations/{destination}/test")

    assert (cookie.name, cookie.secure, cookie.domain) == ("__Host-session", True, NAME)
    assert response.status_code == 200
    assert 'data-last-test="pending"' in response.text


def test_a_visitor_is_counted_by_their_own_address_and_not_by_one_that_they_make_up(proxy: ReverseProxy) -> None:
    ports = [proxy.places.https % 250 + 2, proxy.places.http % 250 + 2]
    visitor, other = (proxy.visit(f"127.{ports[0]}.{ports[1]}.{last}") for last in (1, 2))

    forged = [_claim(visitor, f"192.0.2.{number}") for number in range(31)]

    assert forged == [404] * 30 + [429]
    assert _claim(other, "192.0.2.1") == 404


def _claim(visitor: Session, address: str) -> int:
    """Ask for a page with a limit while claiming to be another visitor. Returns the status."""
    claims = {
        "X-Forwarded-For": address,
        "X-Real-IP": address,
        "Forwarded": f"for={address}",
        "X-Forwarded-Proto": "http",
    }
    return visitor.http.get(f"https://{NAME}/seen/forged", headers=claims, timeout=TIME_LIMIT).status_code


def test_a_wrong_host_is_refused(proxy: ReverseProxy) -> None:
    response = proxy.visit().http.get(f"https://{NAME}/sign-in", headers={"Host": "evil.example"}, timeout=TIME_LIMIT)

    assert response.status_code == 400 or not response.content  # Caddy answers nothing for a site that it has not
    assert "password" not in response.text


def test_http_is_redirected_to_https(proxy: ReverseProxy) -> None:
    response = _ask_over_http(proxy, "/sign-in")

    assert re.match(r"HTTP/1\.[01] 30[18] ", response)
    assert re.search(rf"^location: https://{NAME}(:\d+)?/sign-in$", response, re.IGNORECASE | re.MULTILINE)


def _ask_over_http(proxy: ReverseProxy, path: str) -> str:
    with socket.create_connection(("127.0.0.1", proxy.places.http), timeout=TIME_LIMIT) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        return connection.makefile().read()


# Each link that whoever knows its path can use. The one that confirms an address works for its account alone.
RULES = {row.rule for row in ROWS if "token>" in row.rule} - {"/account/confirm/<account_token>"}
LINKS = sorted(re.sub("<.*token>", "canary-token", rule) for rule in RULES)


def test_there_are_links() -> None:
    assert {"/c/canary-token/status", "/seen/canary-token", "/reset-password/canary-token"} < set(LINKS)


@pytest.mark.parametrize("link", LINKS)
def test_no_log_contains_the_path_of_a_link(name: str, proxy: ReverseProxy, link: str) -> None:
    assert proxy.visit().http.get(f"https://{NAME}{link}", timeout=TIME_LIMIT).status_code == 404
    _ask_over_http(proxy, link)
    proxy.visit().get("/sign-in?logged")

    if name != "caddy":  # has no access log unless it is told to
        wait_until(lambda: "logged" in proxy.read_logs())
    assert "canary" not in proxy.read_logs()


def test_no_log_contains_the_path_of_a_link_that_the_web_server_did_not_answer(name: str, tmp_path: Path) -> None:
    with _run(name, make_places(tmp_path / "p", free_port())) as proxy:
        for link in LINKS:
            assert proxy.visit().http.get(f"https://{NAME}{link}", timeout=TIME_LIMIT).status_code in (502, 503)
        proxy.visit().http.get(f"https://{NAME}/sign-in?logged", timeout=TIME_LIMIT)
        wait_until(lambda: "logged" in proxy.read_logs())

        assert "canary" not in proxy.read_logs()


def test_the_liveness_check_responds(proxy: ReverseProxy) -> None:
    assert proxy.visit().get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("sent", [8_000, 50_000])
def test_slow_visitors_block_no_thread(proxy: ReverseProxy, sent: int) -> None:
    """Each sends a part of a form, less or more than proxies buffer by default, and then nothing."""
    with ExitStack() as stack:
        for _ in range(2 * THREADS):
            connection = stack.enter_context(_connect(proxy))
            connection.sendall(_start_form(60_000) + b"a" * sent)
        time.sleep(1)  # what a proxy passes on too early is at the web server by then
        started = time.monotonic()

        statuses = [proxy.visit().get("/sign-in").status_code for _ in range(4)]

    assert statuses == [200] * 4
    assert time.monotonic() - started < 8


@contextmanager
def _connect(proxy: ReverseProxy) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(proxy.places.authority))
    with (
        socket.create_connection(("127.0.0.1", proxy.places.https), timeout=TIME_LIMIT) as connection,
        context.wrap_socket(connection, server_hostname=NAME) as secured,
    ):
        yield secured


def _start_form(length: int, path: str = "/sign-in") -> bytes:
    """Return the beginning of a request with a form of this length."""
    form = "Content-Type: application/x-www-form-urlencoded"
    return f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\n{form}\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("path", "length", "status", "text"),
    [
        ("/sign-in", 60_000, 400, "<h1>Sign in</h1>"),
        ("/sign-in", 70_000, 413, "The request is too large"),
        ("/sign-in", 1_000_000, 413, "(?i)too large|too big"),
        ("/w/harbor/import", 1_100_000, 400, "The form was incomplete|sent no cookie"),
        (f"/w/harbor/import/{'u' * 43}", 1_100_000, 400, "The form was incomplete|sent no cookie"),
        ("/w/harbor/import", 1_200_000, 413, "Alertcheck imports files of up to 1 MiB"),
    ],
)
def test_a_form_of_64_kib_and_a_file_of_1_mib_are_the_largest(
    proxy: ReverseProxy, path: str, length: int, status: int, text: str
) -> None:
    with _connect(proxy) as connection:
        connection.sendall(_start_form(length, path))
        with suppress(OSError):  # a proxy need not read what it refuses
            connection.sendall(b"a" * length)
        response = HTTPResponse(connection)
        response.begin()

        assert response.status == status
        assert re.search(text, response.read().decode())


@pytest.mark.parametrize(
    ("path", "header", "statuses"),
    [
        (f"/seen/{'a' * 3000}", "", {404}),
        (f"/seen/{'a' * 6000}", "", {400, 404, 414}),
        (f"/seen/{'a' * 200_000}", "", {400, 414, 431}),
        ("/seen/a", "b" * 6000, {404}),
        ("/seen/a", "b" * 30_000, {400, 431}),
        ("/seen/a", "b" * 200_000, {400, 431}),
    ],
)
def test_a_long_address_or_header_is_no_error_of_the_server(
    proxy: ReverseProxy, path: str, header: str, statuses: set[int]
) -> None:
    with _connect(proxy) as connection:
        with suppress(OSError):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nX-More: {header}\r\n\r\n".encode())
        response = HTTPResponse(connection)
        response.begin()

    assert response.status in statuses


def test_an_idle_connection_to_the_web_server_is_used_again(proxy: ReverseProxy, access_log: Path) -> None:
    visitor, path = proxy.visit(), f"/seen/{proxy.places.https}"

    visitor.get(path)
    time.sleep(IDLE)
    visitor.get(path)

    wait_until(lambda: len(_read_ports(access_log, path)) == 2)
    assert len(set(_read_ports(access_log, path))) == 1


def _read_ports(access_log: Path, path: str) -> list[str]:
    return [line.split()[1] for line in access_log.read_text().splitlines() if line.startswith(f"{path} ")]


def test_no_request_meets_the_end_of_an_idle_connection(name: str, tmp_path: Path, web_port: int) -> None:
    """Proxies repeat a GET that fails on an idle connection, but not a POST, which may have been handled."""
    pauses = [0.5 + number * 0.15 for number in range(12)]
    with (
        slow_link(web_port) as port,
        _run(name, make_places(tmp_path / "p", port), SHORT_IDLE[name]) as proxy,
        ThreadPoolExecutor(len(pauses)) as visitors,
    ):
        statuses = list(visitors.map(lambda pause: _post_with_pauses(proxy, pause), pauses))

    assert statuses == [[404] * 3] * 12


def _post_with_pauses(proxy: ReverseProxy, pause: float) -> list[int]:
    statuses = []
    for _ in range(3):
        statuses.append(_request(proxy, "POST", "/no/such/page"))
        time.sleep(pause)
    return statuses


def _request(proxy: ReverseProxy, method: str, path: str) -> int:
    """Send a request on a connection of its own, which the proxy cannot close before it is used."""
    with proxy.visit().http as browser:
        return browser.request(method, f"https://{NAME}{path}", timeout=TIME_LIMIT).status_code


@pytest.fixture
def asking(proxy: ReverseProxy) -> Iterator[list[int]]:
    """The statuses of visitors who ask for pages all the time."""
    statuses: list[int] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(0.05):
            statuses.append(_request(proxy, "GET", "/sign-in"))

    visitors = [threading.Thread(target=ask) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    yield statuses
    is_over.set()
    for visitor in visitors:
        visitor.join()


def test_a_reload_of_the_web_server_loses_no_request(asking: list[int], installation: Installation) -> None:
    web = installation.stack.children[-1]
    wait_until(lambda: len(asking) > 10)
    before = _list_processes(web.pid)

    os.kill(web.pid, signal.SIGHUP)
    wait_until(lambda: before.isdisjoint(_list_processes(web.pid)))
    reloaded = len(asking)
    wait_until(lambda: len(asking) > reloaded + 10)

    assert set(asking) == {200}


def _list_processes(pid: int) -> set[int]:
    return {process.pid for process in psutil.Process(pid).children()}


def test_a_restart_of_the_web_server_is_bridged_or_over_at_once(
    name: str, asking: list[int], proxy: ReverseProxy, installation: Installation, web_port: int
) -> None:
    wait_until(lambda: len(asking) > 10)

    installation.stack.children[-1].stop(grace_period=12)
    installation.stack.start_web(threads=THREADS, port=web_port)

    assert proxy.visit().get("/sign-in").status_code == 200
    assert set(asking) <= {200, *UNTIL_RESTARTED[name]}


@pytest.mark.usefixtures("proxy")
def test_what_the_proxies_send_needs_no_attention(installation: Installation) -> None:
    """Only the visitors of the tests above made something up."""
    logged = [line for child in installation.stack.children for line in child.output() if "needs attention" in line]

    assert {json.loads(line)["problem"] for line in logged} <= {"more_addresses", "host_not_allowed"}


@pytest.fixture(scope="module")
def behind_cloudflare(tmp_path_factory: pytest.TempPathFactory, web_port: int) -> Iterator[ReverseProxy]:
    """nginx, which takes 127.0.0.1 for Cloudflare."""
    places = make_places(tmp_path_factory.mktemp("cloudflare") / "p", web_port)
    add_cloudflare(places, "127.0.0.1")
    with _run("nginx", places) as proxy:
        yield proxy


def test_cloudflare_names_the_visitor(behind_cloudflare: ReverseProxy) -> None:
    cloudflare = behind_cloudflare.visit("127.0.0.1")

    repeated = [_pass_on(cloudflare, "203.0.113.7", f"192.0.2.{number}") for number in range(31)]

    assert repeated == [404] * 30 + [429]
    assert _pass_on(cloudflare, "203.0.113.8", "192.0.2.1") == 404


def test_nobody_else_names_the_visitor(behind_cloudflare: ReverseProxy) -> None:
    visitor = behind_cloudflare.visit("127.0.9.9")

    forged = [_pass_on(visitor, f"203.0.113.{number + 100}", "192.0.2.1") for number in range(31)]

    assert forged == [404] * 30 + [429]


def _pass_on(session: Session, visitor: str, claimed: str) -> int:
    """Send what Cloudflare sends for a visitor who claims to be another one."""
    headers = {"CF-Connecting-IP": visitor, "X-Forwarded-For": f"{claimed}, {visitor}", "X-Forwarded-Proto": "https"}
    return session.http.get(f"https://{NAME}/seen/forged", headers=headers, timeout=TIME_LIMIT).status_code
