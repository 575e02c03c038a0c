"""Requests that no client library sends, over a real connection to gunicorn: none hangs, and none is a server error."""

import shutil
import socket
import time
from collections.abc import Iterator
from errno import ENOTCONN
from http.client import HTTPConnection

import pytest

from tests.forked_processes import run_processes

SECONDS = 20
# Seconds, clearly longer than the 2 s of gunicorn's default.
IDLE = 4
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
HOST = "Host: 127.0.0.1\r\nConnection: close\r\n"
CHUNKED = f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Transfer-Encoding: chunked\r\n\r\n"

# Whole requests: each is refused, or answered as far as it can be understood.
REQUESTS = {
    "a negative length": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Content-Length: -1\r\n\r\nemail=a",
    "a length with a sign": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Content-Length: +7\r\n\r\nemail=a",
    "a length in words": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Content-Length: seven\r\n\r\nemail=a",
    "a huge length": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Content-Length: {'9' * 30}\r\n\r\nemail=a",
    "two lengths": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Content-Length: 7\r\nContent-Length: 8\r\n\r\nemail=ab",
    "a length and chunks": CHUNKED.replace("Transfer", "Content-Length: 7\r\nTransfer") + "0\r\n\r\n",
    "chunks": f"{CHUNKED}7\r\nemail=a\r\n0\r\n\r\n",
    "chunks with trailers": f"{CHUNKED}7\r\nemail=a\r\n0\r\nX-Forwarded-For: 203.0.113.7\r\nX-More: 1\r\n\r\n",
    "chunks with extensions": f"{CHUNKED}7;a=b;c\r\nemail=a\r\n0;d\r\n\r\n",
    "a chunk of a negative size": f"{CHUNKED}-7\r\nemail=a\r\n0\r\n\r\n",
    "a chunk without an end": f"{CHUNKED}7\r\nem",
    "chunks without an end": f"{CHUNKED}7\r\nemail=a\r\n",
    "a chunk longer than its size": f"{CHUNKED}3\r\nemail=a\r\n0\r\n\r\n",
    "a body shorter than its length": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Content-Length: 70\r\n\r\nemail=a",
    "trailers without an end": f"{CHUNKED}7\r\nemail=a\r\n0\r\nX-More: 1\r\n",
    "too many trailers": f"{CHUNKED}0\r\n" + "X-More: 1\r\n" * 20_000 + "\r\n",
    "a chunk of a huge size": f"{CHUNKED}{'f' * 40}\r\nemail=a\r\n0\r\n\r\n",
    "too many chunks": CHUNKED + "1\r\na\r\n" * 70_000 + "0\r\n\r\n",
    "an unknown coding": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a huge header": f"GET /sign-in HTTP/1.1\r\n{HOST}X-More: {'x' * 100_000}\r\n\r\n",
    "too many headers": f"GET /sign-in HTTP/1.1\r\n{HOST}" + "X-More: 1\r\n" * 1000 + "\r\n",
    "a header without a name": f"GET /sign-in HTTP/1.1\r\n{HOST}: x\r\n\r\n",
    "a header with a NUL": f"GET /sign-in HTTP/1.1\r\n{HOST}X-More: a\x00b\r\n\r\n",
    "a folded header": f"GET /sign-in HTTP/1.1\r\n{HOST}X-More: a\r\n b\r\n\r\n",
    "a header with an underscore": f"GET /sign-in HTTP/1.1\r\n{HOST}X_Forwarded_For: 203.0.113.7\r\n\r\n",
    "a huge address": f"GET /{'a' * 100_000} HTTP/1.1\r\n{HOST}\r\n",
    "a path of the server": f"GET /sign-in HTTP/1.1\r\n{HOST}SCRIPT_NAME: /elsewhere\r\n\r\n",
    "an address with bytes": f"GET /w/\xff\xfe/destinations HTTP/1.1\r\n{HOST}\r\n",
    "a complete address": f"GET http://elsewhere.example/sign-in HTTP/1.1\r\n{HOST}\r\n",
    "a broken address": f"GET http://[/ HTTP/1.1\r\n{HOST}\r\n",
    "an address of a star": f"OPTIONS * HTTP/1.1\r\n{HOST}\r\n",
    "a tunnel": f"CONNECT 127.0.0.1:22 HTTP/1.1\r\n{HOST}\r\n",
    "no host": "GET /sign-in HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": f"GET /sign-in HTTP/1.1\r\n{HOST}Host: elsewhere.example\r\n\r\n",
    "a broken host": "GET /sign-in HTTP/1.1\r\nHost: a b[\r\nConnection: close\r\n\r\n",
    "a host with too long a label": f"GET /sign-in HTTP/1.1\r\nHost: {'a' * 64}\r\nConnection: close\r\n\r\n",
    "a host that cannot be decoded": "GET /w/harbor HTTP/1.1\r\nHost: xn--\r\nConnection: close\r\n\r\n",
    "an old protocol": "GET /sign-in HTTP/1.0\r\n\r\n",
    "a future protocol": f"GET /sign-in HTTP/9.9\r\n{HOST}\r\n",
    "another protocol": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no method": f" /sign-in HTTP/1.1\r\n{HOST}\r\n",
    "an expectation": f"POST /sign-in HTTP/1.1\r\n{HOST}{FORM}Expect: 100-continue\r\nContent-Length: 7\r\n\r\nemail=a",
    "an upgrade": f"GET /sign-in HTTP/1.1\r\n{HOST}Upgrade: websocket\r\n\r\n",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a web process of an installation without data."""
    directory = tmp_path_factory.mktemp("raw")
    file = shutil.copy(request.getfixturevalue("sqlite_template"), directory)
    environment = {
        "SECRET_KEY": "a key for tests, long enough to sign with",
        "ALERTCHECK_CONFIG_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
        "DATABASE_URL": f"sqlite:///{file}",
        "REDIS_URL": request.getfixturevalue("queue_server").url,
    }
    with run_processes(environment, directory) as stack:
        yield int(stack.start_web().origin.rpartition(":")[2])


def _send(port: int, request: str) -> bytes:
    """Send a request, end the sending half of the connection, and return everything that comes back."""
    response = b""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        try:
            connection.sendall(request.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                response += piece
        except OSError as error:  # the server does not read a request that it refuses
            if not isinstance(error, ConnectionError) and error.errno != ENOTCONN:
                raise
    return response


@pytest.mark.parametrize("request_text", REQUESTS.values(), ids=REQUESTS)
def test_an_unusual_request_is_answered_soon_and_without_a_server_error(port: int, request_text: str) -> None:
    started = time.monotonic()

    response = _send(port, request_text)

    assert time.monotonic() - started < SECONDS
    assert not response.split(b" ", 2)[1:2] or int(response.split(b" ", 2)[1]) < 500 or b"505" in response[:20]
    assert _send(port, f"GET /healthz HTTP/1.1\r\n{HOST}\r\n").startswith(b"HTTP/1.1 200 ")


def test_chunks_with_trailers_are_read_like_other_chunks(port: int) -> None:
    statuses = {
        _send(port, REQUESTS[name])[:12] for name in ("chunks", "chunks with trailers", "chunks with extensions")
    }

    assert statuses == {b"HTTP/1.1 400"}  # no CSRF token


def test_no_request_sets_the_path_of_the_server(port: int) -> None:
    request = f"GET /elsewhere/sign-in HTTP/1.1\r\n{HOST}SCRIPT_NAME: /elsewhere\r\n\r\n"

    assert _send(port, request).startswith(b"HTTP/1.1 404 ")


def test_a_connection_stays_open_for_longer_than_a_proxy_keeps_it_idle(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    opened = connection.sock
    time.sleep(IDLE)

    connection.request("GET", "/healthz")

    assert connection.getresponse().status == 200
    assert connection.sock is opened
    connection.close()


@pytest.mark.parametrize(
    ("path", "length"), [("/sign-in", 70_000), ("/sign-in", 131_072), ("/w/harbor/import", 2 * 1024 * 1024)]
)
def test_a_connection_stays_open_after_a_form_that_is_too_large(port: int, path: str, length: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, b"a" * length, headers)
    refused = connection.getresponse()
    assert (refused.status, b"too large" in refused.read()) == (413, True)
    opened = connection.sock
    time.sleep(1)  # gunicorn would have closed it by then

    connection.request("GET", "/healthz")

    assert connection.getresponse().status == 200
    assert connection.sock is opened
    connection.close()
