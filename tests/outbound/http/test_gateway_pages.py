"""What servers in front of a receiver say in their own words."""

import pytest
from requests.structures import CaseInsensitiveDict

from webapp.failures import MEANINGS, Cause, Code
from webapp.outbound.http.gateway_pages import find_challenge, recognize_page

ENVOY = b"upstream connect error or disconnect/reset before headers"


@pytest.mark.parametrize(
    ("title", "code"),
    [
        (b"400 No required SSL certificate was sent", Code.CLIENT_CERTIFICATE_REQUIRED),
        (b"400 The SSL certificate error", Code.CLIENT_CERTIFICATE_REQUIRED),
        (b"400 The plain HTTP request was sent to HTTPS port", Code.SCHEME_NOT_ALLOWED),
        (b"You're speaking plain HTTP to an SSL-enabled server port.", Code.SCHEME_NOT_ALLOWED),
        (b"Client sent an HTTP request to an HTTPS server.", Code.SCHEME_NOT_ALLOWED),
        (b"This combination of host and port requires TLS.", Code.SCHEME_NOT_ALLOWED),
        (b"400 Bad Request", None),
    ],
)
def test_a_web_servers_own_page_tells_what_is_wrong_with_the_connection(title: bytes, code: Code | None) -> None:
    assert recognize_page(400, b"<html><head><title>%b</title></head></html>" % title) is code


@pytest.mark.parametrize(
    "body",
    [
        ENVOY,
        ENVOY + b". reset reason: connection termination",
        ENVOY + b". reset reason: remote reset",
        ENVOY + b". reset reason: protocol error",
        ENVOY + b". retried and the latest reset reason: connection termination",
        ENVOY + b". retried and the latest reset reason: remote connection failure",
        ENVOY + b". reset reason: overload manager reset",
        b"<title>503 Backend fetch failed</title><p>Guru Meditation:</p>",
        b"<title>503 backend read error</title>",
        b"<title>503 first byte timeout</title>",
        b'<iframe src="//www.herokucdn.com/error-pages/application-error.html"></iframe>',
        b"<h2>Our services aren't available right now</h2>",
        b"<h2>Our services aren&#39;t available right now</h2>",
    ],
)
def test_a_gateway_that_lost_the_service_behind_it_may_have_passed_the_message_on(body: bytes) -> None:
    code = recognize_page(503, body)
    assert code is Code.GATEWAY_GAVE_UP
    assert MEANINGS[code].may_have_arrived


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no healthy upstream",
        ENVOY + b". reset reason: connection failure",
        ENVOY + b". reset reason: remote connection failure, transport failure reason: delayed connect error: 111",
        ENVOY + b". reset reason: connection timeout",
        ENVOY + b". reset reason: overflow",
        ENVOY + b". reset reason: remote refused stream reset",
        b"<h1>503 Service Unavailable</h1>No server is available to handle this request.",
        b"<title>503 Backend is unhealthy</title>",
    ],
)
def test_a_gateway_without_a_connection_to_the_service_leaves_the_decision_to_the_status(body: bytes) -> None:
    assert recognize_page(503, body) is None


@pytest.mark.parametrize(
    "body",
    [
        b"error code: 1033",
        b"error code: 1016\n",
        b'<span class="cf-error-code">1033</span>',
        b'{"title": "Error 1033: Cloudflare Tunnel error"}',
    ],
)
def test_a_tunnel_that_is_down_has_passed_nothing_on(body: bytes) -> None:
    code = recognize_page(530, body)
    assert code is Code.REMOTE_UNAVAILABLE
    assert MEANINGS[code].may_retry


@pytest.mark.parametrize("body", [b"", b"error code: 1101", b"error code: 10331"])
def test_any_other_530_leaves_the_decision_to_the_status(body: bytes) -> None:
    assert recognize_page(530, body) is None


@pytest.mark.parametrize("status", [200, 404, 500])
def test_other_statuses_are_not_read(status: int) -> None:
    assert recognize_page(status, ENVOY) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amzn-waf-action", "challenge"),
        ("X-Amzn-Waf-Action", "captcha"),
        ("cf-mitigated", "challenge"),
        ("X-Vercel-Mitigated", " Challenge"),
    ],
)
def test_a_firewalls_challenge_is_found_by_its_header(name: str, value: str) -> None:
    assert find_challenge(CaseInsensitiveDict({name: value})) is Cause.BROWSER_CHALLENGE


@pytest.mark.parametrize("headers", [{}, {"x-vercel-mitigated": "deny"}, {"x-challenge": "challenge"}])
def test_other_headers_are_no_challenge(headers: dict[str, str]) -> None:
    assert find_challenge(CaseInsensitiveDict(headers)) is None
