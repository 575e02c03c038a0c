"""A provider that is down, slow or broken, or leads elsewhere: a sentence within seconds, and nobody signed in."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer

from tests.factories import SeededIds
from tests.single_sign_on.conftest import SignIn
from tests.single_sign_on.provider import (
    Answer,
    TestProvider,
    send_endlessly,
    stay_silent,
    trickle,
)
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.failures import DeliveryFailed
from webapp.outbound import OutboundClient, Policy
from webapp.outbound.policy.allowed_targets import check_url
from webapp.outbound.policy.urls import Origin, read_url
from webapp.single_sign_on.provider_client import EACH, TOTAL, ProviderClient
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

DISCOVERY = "/.well-known/openid-configuration"

# Seconds: what a sign-in may take on a busy machine, far less than the minutes that a broken limit would take.
PATIENCE = 4 * TOTAL


def _send(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return lambda handler: handler.send_bytes(content, status, "application/json", **(headers or {}))


BROKEN: dict[str, Answer] = {
    "an error": _send(b"{}", 500),
    "a page": _send(b"<!doctype html>"),
    "no object": _send(b"[]"),
    "nothing": _send(b""),
    "nested without end": _send(b"[" * 100_000),
    "not UTF-8": _send(b"\xff\xfe{}"),
    "compressed": _send(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "10 GB": send_endlessly,
}


@pytest.fixture(autouse=True)
def in_a_group(provider: TestProvider) -> None:
    provider.users["ada"]["groups"] = ["ops"]


def _check_refused(response: Any, status: int, words: str) -> None:
    assert response.status_code == status
    assert words in response.text
    assert 'name="password"' in response.text


@pytest.mark.usefixtures("uninterrupted")
@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/jwks", "/userinfo"])
def test_a_broken_response_is_refused_in_seconds_beside_the_password_form(
    browser: Visitor, provider: TestProvider, path: str, broken: str
) -> None:
    begun = monotonic()
    if path == DISCOVERY:
        provider.answers[path] = BROKEN[broken]
        response = browser.get("/sign-in/provider")
    else:
        back = provider.sign_in(browser.get("/sign-in/provider").location)
        provider.answers[path] = BROKEN[broken]
        response = browser.get(back)

    _check_refused(response, 503, "sent a response that Alertcheck cannot use. Try again in a minute")
    assert monotonic() - begun < PATIENCE
    assert browser.get("/workspaces").status_code == 302


@pytest.mark.slow
@pytest.mark.parametrize("answer", [stay_silent, trickle])
def test_a_slow_provider_is_given_up_in_seconds(
    browser: Visitor, provider: TestProvider, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.single_sign_on.provider_client.EACH", 1.0)
    provider.answers[DISCOVERY] = answer
    begun = monotonic()
    response = browser.get("/sign-in/provider")

    _check_refused(response, 503, "did not respond in time. Try again in a minute, or sign in with your password.")
    assert monotonic() - begun < 1.0 + PATIENCE / 2


def test_all_requests_of_a_sign_in_share_one_time_limit(provider: TestProvider) -> None:
    client = ProviderClient(OutboundClient(), total=0.0)

    with pytest.raises(SignOnRefused) as refused:
        client.get_json(provider.issuer, frozenset({read_url(provider.issuer).origin}))
    assert refused.value.refusal is Refusal.TOO_SLOW
    assert provider.requested == []
    assert EACH <= TOTAL < 10


@pytest.fixture
def unused_port() -> Iterator[int]:
    with closing(socket.socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))  # and never listens
        yield reserved.getsockname()[1]


class TestDown:
    """Nothing listens at the issuer."""

    @pytest.fixture
    def oidc_settings(self, unused_port: int) -> dict[str, str]:
        return {"OIDC_ISSUER": f"http://127.0.0.1:{unused_port}"}

    def test_a_provider_that_is_down_is_named(self, browser: Visitor) -> None:
        _check_refused(browser.get("/sign-in/provider"), 503, "The sign-in provider cannot be reached.")

    def test_the_sign_in_page_does_not_wait_for_it(self, browser: Visitor) -> None:
        assert browser.get("/sign-in").status_code == 200


def test_after_a_failure_strangers_cannot_make_us_ask_again_at_once(
    app: Flask, seeded: SeededIds, provider: TestProvider
) -> None:
    provider.answers[DISCOVERY] = BROKEN["an error"]
    responses = [Visitor.anonymous(app).get("/sign-in/provider") for _ in range(5)]

    assert [response.status_code for response in responses] == [503] * 5
    assert provider.requested == [DISCOVERY]


def test_a_provider_that_is_back_is_asked_again(
    browser: Visitor, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.single_sign_on.provider.FAILURE_PAUSE", 0.0)
    provider.answers[DISCOVERY] = BROKEN["an error"]
    assert browser.get("/sign-in/provider").status_code == 503
    del provider.answers[DISCOVERY]

    assert browser.get("/sign-in/provider").status_code == 302


@pytest.mark.slow
def test_only_some_threads_wait_for_a_slow_provider(
    app: Flask, seeded: SeededIds, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.single_sign_on.provider_client.EACH", 60.0)
    monkeypatch.setattr("webapp.single_sign_on.provider_client.TOTAL", 60.0)
    released = Event()

    def wait(handler: Any) -> None:
        released.wait(60)
        handler.send_json({})

    provider.answers[DISCOVERY] = wait
    browsers = [Visitor.anonymous(app) for _ in range(4)]
    threads = [Thread(target=browser.get, args=["/sign-in/provider"], daemon=True) for browser in browsers[:3]]
    for thread in threads:
        thread.start()
    ends = monotonic() + 60
    while provider.requested.count(DISCOVERY) < 3 and monotonic() < ends:
        released.wait(0.01)
    response = browsers[3].get("/sign-in/provider")
    released.set()
    for thread in threads:
        thread.join(60)

    _check_refused(response, 503, "Many people are signing in at the moment.")


# Where it may lead


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"issuer": "https://evil.example"}, "came from another provider"),
        ({"issuer": None}, "came from another provider"),
        ({"issuer": ["https://evil.example"]}, "came from another provider"),
        ({"token_endpoint": "http://login.example.com/token"}, "cannot use"),
        ({"token_endpoint": "ftp://login.example.com/token"}, "cannot use"),
        ({"token_endpoint": "https://a@login.example.com/"}, "cannot use"),
        ({"token_endpoint": None}, "cannot use"),
        ({"jwks_uri": ["https://login.example.com"]}, "cannot use"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "cannot use"),
        ({"authorization_endpoint": "//evil.example"}, "cannot use"),
        ({"userinfo_endpoint": "http://192.0.2.1/"}, "cannot use"),
        ({"end_session_endpoint": "http://login.example.com/"}, "cannot use"),
    ],
)
def test_a_document_that_leads_astray_is_refused(
    browser: Visitor, provider: TestProvider, changed: dict[str, Any], words: str
) -> None:
    provider.changed_metadata = changed
    response = browser.get("/sign-in/provider")

    assert response.status_code in (400, 503)
    assert words in response.text


@pytest.fixture
def other(httpserver: HTTPServer) -> HTTPServer:
    """A server that nobody may be led to."""
    httpserver.expect_request("/").respond_with_json({"keys": []})
    return httpserver


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_document_is_not_followed(
    browser: Visitor, provider: TestProvider, other: HTTPServer, status: int
) -> None:
    provider.answers[DISCOVERY] = _send(b"{}", status, {"Location": other.url_for("/")})

    _check_refused(browser.get("/sign-in/provider"), 503, "cannot use")
    assert other.log == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["/token", "/jwks", "/userinfo"])
def test_no_redirect_of_the_provider_is_followed(
    browser: Visitor, provider: TestProvider, other: HTTPServer, path: str, status: int
) -> None:
    back = provider.sign_in(browser.get("/sign-in/provider").location)
    provider.answers[path] = _send(b"{}", status, {"Location": other.url_for("/")})

    assert "cannot use" in browser.get(back).text
    assert other.log == []


def test_only_listed_origins_are_asked(provider: TestProvider, other: HTTPServer) -> None:
    client = ProviderClient(OutboundClient(Policy(trusted_origins=frozenset({read_url(other.url_for("/")).origin}))))

    with pytest.raises(SignOnRefused):
        client.get_json(other.url_for("/"), frozenset({read_url(provider.issuer).origin}))
    assert other.log == []


def test_no_destination_can_use_the_list_of_the_provider(app: Flask, sign_in: SignIn, provider: TestProvider) -> None:
    sign_in()

    with pytest.raises(DeliveryFailed):
        check_url(f"{provider.issuer}/hook", app_state(app).settings.outbound.policy)


def test_a_demo_that_sends_to_its_own_receiver_still_asks_the_provider(provider: TestProvider) -> None:
    demo = OutboundClient(Policy(demo_receiver=Origin("http", "127.0.0.1", 1)))
    origins = frozenset({read_url(provider.issuer).origin})

    assert ProviderClient(demo).get_json(provider.issuer + DISCOVERY, origins)["issuer"] == provider.issuer


def test_a_provider_that_is_not_public_is_asked_without_the_proxy(provider: TestProvider, unused_port: int) -> None:
    proxied = OutboundClient(Policy(proxy=Origin("http", "127.0.0.1", unused_port)))
    origins = frozenset({read_url(provider.issuer).origin})

    assert ProviderClient(proxied).get_json(provider.issuer + DISCOVERY, origins)["issuer"] == provider.issuer


def test_a_public_provider_is_asked_through_the_proxy(unused_port: int) -> None:
    policy = Policy(proxy=Origin("http", "127.0.0.1", unused_port))
    client = ProviderClient(OutboundClient(policy, resolver=lambda _host: ["93.184.216.34"]))

    with pytest.raises(SignOnRefused):
        client.get_json("https://login.example.com/", frozenset({Origin("https", "login.example.com", 443)}))
    assert client.failure is not None
    assert "proxy" in client.failure.message


# Keys


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"keys": []},
        {"keys": "x"},
        {"keys": [7, {}, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA"}, {"kty": "PQ"}]},
        {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]},
        {"keys": [{"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"}]},
    ],
)
def test_keys_that_cannot_be_used_are_refused(sign_in: SignIn, provider: TestProvider, keys: Any) -> None:
    provider.answers["/jwks"] = lambda handler: handler.send_json(keys)

    assert "cannot use" in sign_in().text


def test_a_key_of_a_kind_to_come_beside_the_others_does_not_matter(sign_in: SignIn, provider: TestProvider) -> None:
    keys = provider.pyop.jwks
    provider.answers["/jwks"] = lambda handler: handler.send_json({"keys": [{"kty": "PQ"}, *keys["keys"]]})

    assert sign_in().location == "/"


def test_a_large_set_of_keys_is_read(sign_in: SignIn, provider: TestProvider) -> None:
    (key,) = provider.pyop.jwks["keys"]
    keys = [key, *({"kty": "PQ", "x5c": ["x" * 4000]} for _ in range(40))]
    provider.answers["/jwks"] = lambda handler: handler.send_json({"keys": keys})

    assert sign_in().location == "/"


def test_a_client_that_may_only_post_its_secret_does_so(sign_in: SignIn, provider: TestProvider) -> None:
    bodies: list[str] = []
    provider.changed_metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    def keep(handler: Any) -> None:
        bodies.append(handler.body)
        handler.send_json({})

    provider.answers["/token"] = keep
    sign_in()

    assert "client_secret=canary-client-secret%2Fwith%3Fodd%26signs" in bodies[0]
    assert json.dumps(bodies).count("client_secret=") == 1
