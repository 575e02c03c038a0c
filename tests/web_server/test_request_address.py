"""The check of the address of a request: which host names are ours, what answers under any, and no path in front."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from benchmarks.installation.servers import QueueServer
from webapp.application import create_app
from webapp.extensions import db
from webapp.settings import read_settings
from webapp.web_server.request_address import PROBES

TOKEN = "a-token-of-16-characters"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
NAME = "alertcheck.example.com"

# Hosts that no list of names contains: IP addresses, names of other sites, and what is no host at all.
OTHER_HOSTS = (
    *("10.0.0.7", "10.0.0.7:8000", "[2001:db8::7]", "[2001:db8::7]:8000", "alertcheck-web.default.svc:8000"),
    *("evil.example", f"{NAME}.evil.example", f"x{NAME}", "alertcheck.example.co", "example.com", "::1"),
    *("", " ", "a b[", "[::1", "[::1]x", "]", ":8000", f"{NAME}:x", f"{NAME}:99999", f"{NAME}:-1", f"{NAME}/"),
    *(f"me@{NAME}", "\xff", "*", f"{NAME}, evil.example", f"{NAME} evil.example", "a" * 5000, "%61"),
)

MakeApp = Callable[..., Flask]


@pytest.fixture(scope="module")
def make_app(
    sqlite_template: Path, queue_server: QueueServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeApp]:
    """Create an application with these settings. All have the same empty database."""
    file, made = shutil.copy(sqlite_template, tmp_path_factory.mktemp("addresses")), []
    settings = {
        "SECRET_KEY": "a key for tests, long enough to sign with",
        "ALERTCHECK_CONFIG_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
        "DATABASE_URL": f"sqlite:///{file}",
        "REDIS_URL": queue_server.url,
    }

    def make(**more: str) -> Flask:
        made.append(create_app(read_settings(settings | more)))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="module")
def app(make_app: MakeApp) -> Flask:
    return make_app(ALERTCHECK_ALLOWED_HOSTS=f"{NAME}, [2001:DB8:0::1]", ALERTCHECK_METRICS_TOKEN=TOKEN)


def _get(app: Flask, path: str, host: str, **environ: str) -> TestResponse:
    return app.test_client().get(path, environ_overrides={"HTTP_HOST": host, **environ}, headers=AUTHORIZED)


def _get_without_host(app: Flask, path: str, server: str, port: str) -> int:
    """Send a request of HTTP/1.0 to the server at an address, or at a socket, which has no port."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ["HTTP_HOST"]
        return app.wsgi_app(environ | {"SERVER_NAME": server, "SERVER_PORT": port}, start_response)

    return Client(call).get(path, headers=AUTHORIZED).status_code


@pytest.mark.parametrize("host", OTHER_HOSTS)
@pytest.mark.parametrize("path", sorted(PROBES))
def test_a_probe_responds_under_any_host(app: Flask, path: str, host: str) -> None:
    response = _get(app, path, host)

    assert response.status_code == (503 if path == "/readyz" else 200)
    assert path != "/readyz" or (response.json or {}).keys() > {"status", "database", "queue"}  # there is no worker


@pytest.mark.parametrize(("server", "port"), [("10.0.0.7", "8000"), ("2001:db8::7", "8000"), ("/run/web.sock", "")])
@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 503), ("/metrics", 200)])
def test_a_probe_responds_without_a_host(app: Flask, path: str, status: int, server: str, port: str) -> None:
    assert _get_without_host(app, path, server, port) == status


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
def test_a_probe_responds_to_every_method_as_under_its_own_host(app: Flask, method: str) -> None:
    client = app.test_client()

    statuses = [
        client.open("/healthz", method=method, headers={"Host": host}).status_code for host in ("10.0.0.7", NAME)
    ]

    assert statuses[0] == statuses[1] == {"POST": 405}.get(method, 200)


@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_a_page_does_not_respond_under_another_host(app: Flask, host: str) -> None:
    response = _get(app, "/sign-in", host)

    assert response.status_code == 400
    assert "ALERTCHECK_ALLOWED_HOSTS" in response.text


def test_a_page_does_not_respond_without_a_host(app: Flask) -> None:
    assert _get_without_host(app, "/sign-in", "10.0.0.7", "8000") == 400


@pytest.mark.parametrize(
    "host",
    [
        *(NAME, NAME.upper(), f"{NAME}:8443", f"{NAME}.", f"{NAME}.:443", "[2001:db8::1]", "[2001:db8:0:0::1]:8000"),
        *("127.0.0.1:8000", "[::1]:8000", "[0:0::1]", "localhost"),
    ],
)
def test_a_page_responds_under_each_allowed_name_however_it_is_written(app: Flask, host: str) -> None:
    assert _get(app, "/sign-in", host).status_code == 200


@pytest.mark.parametrize(
    "path", ["/healthz/", "//healthz", "/healthz/x", "/HEALTHZ", "/w/healthz", "/metrics/../sign-in", "/healthz%20"]
)
def test_a_path_like_that_of_a_probe_is_no_probe(app: Flask, path: str) -> None:
    assert _get(app, path, "evil.example").status_code == 400


def test_without_a_list_every_host_is_allowed(make_app: MakeApp) -> None:
    app = make_app()

    assert [_get(app, "/sign-in", host).status_code for host in OTHER_HOSTS if len(host) < 64] == [200] * (
        len(OTHER_HOSTS) - 1
    )


def test_without_a_list_a_host_that_no_url_can_contain_is_refused(make_app: MakeApp) -> None:
    assert _get(make_app(), "/sign-in", "a" * 64).status_code == 400


def test_metrics_need_the_token_under_every_host(app: Flask) -> None:
    assert app.test_client().get("/metrics", headers={"Host": "10.0.0.7:8000"}).status_code == 401


def test_without_a_token_no_host_has_metrics(make_app: MakeApp) -> None:
    app = make_app(ALERTCHECK_ALLOWED_HOSTS=NAME)

    assert _get(app, "/metrics", "10.0.0.7:8000").status_code == 404


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 403), ("/metrics", 403)])
def test_the_demo_answers_only_its_liveness_check_under_another_host(
    make_app: MakeApp, tmp_path: Path, path: str, status: int
) -> None:
    demo = {"ALERTCHECK_DEMO": "1", "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite")}
    app = make_app(**demo, ALERTCHECK_DEMO_RECEIVER_HTTP="http://127.0.0.1:1")

    assert _get(app, path, "evil.example").status_code == status


@pytest.mark.parametrize(
    "environ",
    [
        {"SCRIPT_NAME": "/alertcheck"},
        {"HTTP_X_FORWARDED_PREFIX": "/alertcheck"},
        {"HTTP_X_FORWARDED_PREFIX": "/, /alertcheck"},
        {"HTTP_X_SCRIPT_NAME": "/alertcheck/"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/static/app.css", "/no/such/page"])
def test_nothing_is_served_under_a_path(app: Flask, environ: dict[str, str], path: str) -> None:
    response = _get(app, path, NAME, **environ)

    assert response.status_code == 400
    assert "Alertcheck cannot be served under a path." in response.text


@pytest.mark.parametrize(
    "environ", [{"SCRIPT_NAME": "/"}, {"HTTP_X_FORWARDED_PREFIX": "/"}, {"HTTP_X_FORWARDED_PREFIX": ""}]
)
def test_the_root_is_no_path(app: Flask, environ: dict[str, str]) -> None:
    assert _get(app, "/sign-in", NAME, **environ).status_code == 200


def test_a_probe_responds_under_a_path(app: Flask) -> None:
    assert _get(app, "/healthz", NAME, SCRIPT_NAME="/alertcheck").status_code == 200


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"HTTP_HOST": "evil.example"}, "host_not_allowed"),
        ({"HTTP_HOST": NAME, "HTTP_X_FORWARDED_PREFIX": "/canary"}, "under_a_path"),
    ],
)
def test_a_refusal_is_logged_once_without_the_request(
    make_app: MakeApp, environ: dict[str, str], problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app(ALERTCHECK_ALLOWED_HOSTS=NAME).test_client()

    for number in range(3):
        client.get(f"/seen/canary{number}", environ_overrides=environ)

    assert caplog.text.count(f'"problem": "{problem}"') == 1
    assert "canary" not in caplog.text
    assert "evil" not in caplog.text


def test_a_probe_logs_nothing(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    _get(app, "/healthz", "10.0.0.7")

    assert caplog.text == ""
