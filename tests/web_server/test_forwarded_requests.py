"""Which visitor and scheme a request has behind proxies, and which mistakes of the set-up are logged, each once."""

import logging
from typing import Any

import pytest

from webapp.web_server.advice import Advice, AdviceLog
from webapp.web_server.forwarded_requests import ForwardedRequests

VISITOR, PROXY, EDGE = "203.0.113.7", "10.0.0.2", "198.51.100.9"


class Web:
    """The middleware in front of an application that keeps what it gets."""

    def __init__(self, proxies: int, https: bool = False) -> None:
        self.seen: dict[str, Any] = {}
        self.middleware = ForwardedRequests(self._respond, proxies, https, AdviceLog())

    def ask(self, path: str = "/sign-in", peer: str = PROXY, scheme: str = "http", **headers: str) -> tuple[str, str]:
        """Send a request, and return its visitor and scheme."""
        environ = {"PATH_INFO": path, "REMOTE_ADDR": peer, "wsgi.url_scheme": scheme}
        named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        assert list(self.middleware(environ | named, lambda *_: lambda _: None)) == []
        return self.seen["REMOTE_ADDR"], self.seen["wsgi.url_scheme"]

    def _respond(self, environ: dict[str, Any], _start_response: object) -> list[bytes]:
        self.seen = environ
        return []


def _logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "problem") for record in caplog.records]  # noqa: B009 - an extra field


@pytest.mark.parametrize(
    ("proxies", "addresses", "visitor"),
    [
        (0, VISITOR, PROXY),
        (1, VISITOR, VISITOR),
        (1, f" {VISITOR} ", VISITOR),
        (1, f"192.0.2.66, {VISITOR}", VISITOR),
        (1, f'"192.0.2.66, {VISITOR}', VISITOR),  # no quotation mark of a visitor hides what the proxy adds
        (1, f",,{VISITOR}", VISITOR),
        (1, f"{VISITOR},, ,", ""),  # an empty value of the proxy is nobody's
        (1, "[2001:db8::7]:443", "[2001:db8::7]:443"),
        (1, "", PROXY),
        (1, " , ", ""),
        (1, " ", PROXY),
        (2, f"{VISITOR}, {EDGE}", VISITOR),
        (2, f"192.0.2.66, {VISITOR},{EDGE}", VISITOR),
        (2, VISITOR, PROXY),
        (3, f"{VISITOR}, {EDGE}", PROXY),
    ],
)
def test_the_visitor_is_the_address_that_the_outermost_counted_proxy_wrote(
    proxies: int, addresses: str, visitor: str
) -> None:
    assert Web(proxies).ask(x_forwarded_for=addresses)[0] == visitor


@pytest.mark.parametrize(
    ("proxies", "schemes", "scheme"),
    [
        *((0, "https", "http"), (1, "https", "https"), (1, "HTTPS", "https"), (1, "http", "http"), (1, "", "http")),
        *(
            (1, "http, https", "https"),
            (2, "https, http", "https"),
            (2, "https", "https"),
            (2, "http,https,http", "https"),
        ),
        *((1, "wss", "http"), (1, "javascript", "http")),
    ],
)
def test_the_scheme_is_that_of_the_outermost_counted_proxy_that_wrote_one(
    proxies: int, schemes: str, scheme: str
) -> None:
    assert Web(proxies).ask(x_forwarded_for=VISITOR, x_forwarded_proto=schemes)[1] == scheme


@pytest.mark.parametrize(
    ("proxies", "https", "request_", "problem"),
    [
        (0, False, {"x_forwarded_for": VISITOR}, Advice.PROXY_NOT_COUNTED),
        (0, False, {"forwarded": f"for={VISITOR};proto=https"}, Advice.PROXY_NOT_COUNTED),
        (0, False, {"x_real_ip": VISITOR}, Advice.PROXY_NOT_COUNTED),
        (0, False, {"cf_connecting_ip": VISITOR}, Advice.PROXY_NOT_COUNTED),
        (0, False, {"x_forwarded_proto": "https"}, Advice.PROXY_NOT_COUNTED),
        (0, False, {"peer": ""}, Advice.PROXY_NOT_COUNTED),
        (0, True, {}, Advice.PROXY_NOT_COUNTED),
        (1, False, {}, Advice.NO_ADDRESS),
        (1, False, {"forwarded": f"for={VISITOR}"}, Advice.NO_ADDRESS),
        (1, False, {"x_real_ip": VISITOR}, Advice.NO_ADDRESS),
        (2, False, {"x_forwarded_for": VISITOR}, Advice.TOO_FEW_ADDRESSES),
        (1, False, {"x_forwarded_for": f"{VISITOR}, {EDGE}"}, Advice.MORE_ADDRESSES),
        (1, False, {"x_forwarded_for": EDGE, "cf_connecting_ip": VISITOR}, Advice.MORE_ADDRESSES),
        (1, False, {"x_forwarded_for": "unix:"}, Advice.UNREADABLE_ADDRESS),
        (1, False, {"x_forwarded_for": VISITOR, "x_forwarded_proto": "https"}, Advice.HTTPS_OFF),
        (1, True, {"x_forwarded_for": VISITOR, "x_forwarded_proto": "http"}, Advice.NOT_HTTPS),
        (1, True, {"x_forwarded_for": VISITOR}, Advice.NOT_HTTPS),
        (2, True, {"x_forwarded_for": f"{VISITOR}, {EDGE}", "x_forwarded_proto": "http, http"}, Advice.NOT_HTTPS),
    ],
)
def test_a_mistake_is_logged_once_with_its_cure_and_without_what_the_request_contains(
    proxies: int, https: bool, request_: dict[str, str], problem: Advice, caplog: pytest.LogCaptureFixture
) -> None:
    web = Web(proxies, https)

    for _ in range(3):
        web.ask(**request_)

    assert _logged(caplog) == [problem.name.lower()]
    assert f'"advice": "{problem.value}", "trusted_proxies": {proxies}' in caplog.text
    assert "203.0.113" not in caplog.text


@pytest.mark.parametrize(
    ("proxies", "https", "request_"),
    [
        (0, False, {}),
        (0, False, {"peer": "2001:db8::7"}),
        (0, True, {"scheme": "https"}),
        (1, False, {"x_forwarded_for": VISITOR, "x_forwarded_proto": "http"}),
        (1, True, {"x_forwarded_for": VISITOR, "x_forwarded_proto": "https"}),
        (1, True, {"x_forwarded_for": VISITOR, "x_forwarded_proto": "https", "forwarded": f"for={VISITOR}"}),
        (1, True, {"x_forwarded_for": f"{VISITOR}:5000", "x_forwarded_proto": "https", "x_real_ip": VISITOR}),
        (1, True, {"x_forwarded_for": "2001:db8::7", "x_forwarded_proto": "https", "x_real_ip": "2001:DB8::7"}),
        (2, True, {"x_forwarded_for": f"{VISITOR}, {EDGE}", "x_forwarded_proto": "https", "cf_connecting_ip": VISITOR}),
    ],
)
def test_a_right_set_up_logs_nothing(
    proxies: int, https: bool, request_: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    Web(proxies, https).ask(**request_)

    assert caplog.text == ""


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("proxies", [0, 1])
def test_a_probe_logs_nothing(path: str, proxies: int, caplog: pytest.LogCaptureFixture) -> None:
    Web(proxies, https=True).ask(path, x_real_ip=VISITOR)

    assert caplog.text == ""


def test_no_visitor_can_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    web = Web(1, https=True)

    for number in range(200):
        web.ask(
            f"/{number}", peer="", x_forwarded_for=",".join(["x"] * (number % 5)), x_real_ip=f"{number}", forwarded="x"
        )

    assert len(_logged(caplog)) == len(set(_logged(caplog))) <= len(Advice)


def test_a_log_line_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    Web(1).ask()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
