"""Posting to hostile receivers, and the bytes sent to a well-behaved one."""

import socket
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest

from benchmarks.installation.scripted_server import closed_port, full_port, listening
from tests.outbound.cases import cases
from tests.outbound.outcome_of import BRIEF, HEADERS, loopback, outcome_of, send, trusting
from tests.outbound.scripts import reads_first, script_of
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.http.client import get, post
from webapp.outbound.http.head import MAX_HEAD
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Origin
from webapp.outbound.transport.deadline import LIMITS, MAX_BODY

pytestmark = pytest.mark.slow

MEBIBYTE = 2**20


@pytest.fixture
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("case", cases("servers"))
@pytest.mark.usefixtures("memory")
def test_a_hostile_receiver_gets_its_listed_outcome_in_bounded_time_and_memory(case: dict[str, Any]) -> None:
    given, script = case["given"], script_of(case["script"], case["given"])
    body = bytes(given.get("body_bytes", 2))
    with listening(script, read_first=reads_first(case["script"])) as receiver:
        before, started = tracemalloc.get_traced_memory()[0], monotonic()
        assert outcome_of(f"{receiver.origin}/hook", body) == case["outcome"]
        assert monotonic() - started < BRIEF.whole + 1
        assert tracemalloc.get_traced_memory()[1] - before < 16 * MEBIBYTE


@pytest.mark.slow
def test_the_whole_send_ends_after_eight_seconds_by_default() -> None:
    with listening(script_of("dribbled_headers", {})) as receiver:
        url, started = f"{receiver.origin}/hook", monotonic()
        with pytest.raises(DeliveryFailed) as caught:
            post(url, b"{}", HEADERS, trusting(url))
    assert (caught.value.code, caught.value.facts.seconds) == (Code.DEADLINE_EXCEEDED, 8)
    assert 7.9 < monotonic() - started < 9


@pytest.mark.slow
def test_silence_is_cut_after_five_seconds_by_default() -> None:
    with listening(script_of("silent", {})) as receiver:
        url, started = f"{receiver.origin}/hook", monotonic()
        with pytest.raises(DeliveryFailed) as caught:
            post(url, b"{}", HEADERS, trusting(url))
    assert caught.value.code is Code.READ_TIMEOUT
    assert 4.9 < monotonic() - started < 6


def test_a_response_is_returned_with_its_status_headers_and_body() -> None:
    with listening(script_of("plain", {"status": 404, "body": "no_service", "headers": {"X-Why": "gone"}})) as receiver:
        response = send(f"{receiver.origin}/hook")
    assert (response.status, response.headers["x-why"], response.body, response.complete) == (
        404,
        "gone",
        b"no_service",
        True,
    )
    assert 0 < response.seconds < 1


def test_a_responses_repr_does_not_show_the_receivers_text() -> None:
    with listening(script_of("echoed_path", {})) as receiver:
        assert "canary" not in repr(send(f"{receiver.origin}/hook/canary"))


@pytest.mark.parametrize(("size", "complete"), [(MAX_BODY, True), (MAX_BODY + 1, False)])
def test_a_body_is_kept_up_to_its_limit(size: int, complete: bool) -> None:
    with listening(script_of("plain", {"status": 200, "body": "x" * size})) as receiver:
        response = send(f"{receiver.origin}/hook")
    assert (len(response.body), response.complete) == (MAX_BODY, complete)


@pytest.mark.parametrize(("size", "complete"), [(3 * MAX_BODY, True), (3 * MAX_BODY + 1, False)])
def test_a_get_sends_no_body_and_keeps_what_its_limits_say(size: int, complete: bool) -> None:
    with listening(script_of("plain", {"status": 200, "body": "x" * size}), read_first=True) as receiver:
        url = f"{receiver.origin}/document?a=1"
        response = get(url, HEADERS, trusting(url), limits=replace(LIMITS, body=3 * MAX_BODY))
    assert receiver.heads[0].startswith(b"GET /document?a=1 HTTP/1.1\r\n")
    assert b"Content-Length" not in receiver.heads[0]
    assert (len(response.body), response.complete) == (3 * MAX_BODY, complete)


def test_a_message_is_sent_by_put_if_asked() -> None:
    with listening(script_of("plain", {"status": 204})) as receiver:
        url = f"{receiver.origin}/hook"
        assert post(url, b"{}", HEADERS, trusting(url), method="PUT").status == 204
    assert receiver.heads[0].startswith(b"PUT /hook HTTP/1.1\r\n")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "put", "", "PUT /x HTTP/1.1\r\nX:"])
def test_no_other_method_is_sent(method: str) -> None:
    with listening(script_of("plain", {"status": 204})) as receiver:
        url = f"{receiver.origin}/hook"
        with pytest.raises(ValueError, match="POST or PUT"):
            post(url, b"{}", HEADERS, trusting(url), method=method)
    assert receiver.heads == []


def test_a_get_obeys_the_policy() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        get("http://127.0.0.1:1/", HEADERS, Policy())
    assert caught.value.code is Code.SCHEME_NOT_ALLOWED


def test_a_truncated_body_keeps_the_status_and_is_marked_incomplete() -> None:
    with listening(script_of("dribbled_body", {})) as receiver:
        response = send(f"{receiver.origin}/hook")
    assert (response.status, response.complete) == (200, False)
    assert set(response.body) == set(b"x")


def test_a_body_without_a_length_cut_by_the_deadline_is_incomplete() -> None:
    with listening(script_of("dribbled_body_without_length", {})) as receiver:
        response = send(f"{receiver.origin}/hook")
    assert (response.status, response.complete) == (200, False)


def test_a_body_in_many_small_chunks_is_kept_whole() -> None:
    with listening(script_of("small_chunks", {})) as receiver:
        response = send(f"{receiver.origin}/hook", limits=LIMITS)
    assert (response.body, response.complete) == (b"x" * 16_000, True)


@pytest.mark.parametrize(
    "script",
    [
        "endless_trailers",
        "endless_trailer",
        "endless_extensions",
        "endless_zeros",
        "zeros_in_each_size",
        "endless_body",
    ],
)
def test_an_endless_body_is_left_at_its_size_limit_and_not_at_the_deadline(script: str) -> None:
    with listening(script_of(script, {})) as receiver:
        response = send(f"{receiver.origin}/hook", limits=LIMITS)
    assert (response.status, response.complete) == (200, False)
    assert response.seconds < LIMITS.whole / 4


@pytest.mark.parametrize(
    ("script", "given", "broken_by"),
    [
        ("plain", {"status": 200, "body": "ok"}, None),
        ("plain", {"status": 200, "body": "x" * (MAX_BODY + 1)}, None),
        ("endless_body", {}, None),
        ("endless_trailers", {}, None),
        ("dribbled_body", {}, Code.DEADLINE_EXCEEDED),
        ("dribbled_chunks", {}, Code.DEADLINE_EXCEEDED),
        ("silent_in_body", {}, Code.DEADLINE_EXCEEDED),
        ("cut_in_body", {}, Code.CONNECTION_CLOSED),
        ("cut_in_chunk", {}, Code.CONNECTION_CLOSED),
        ("reset_in_body", {}, Code.CONNECTION_CLOSED),
        ("negative_chunk", {}, Code.INVALID_RESPONSE),
    ],
)
def test_a_body_that_does_not_end_says_why(script: str, given: Mapping[str, object], broken_by: Code | None) -> None:
    with listening(script_of(script, given)) as receiver:
        response = send(f"{receiver.origin}/hook")
    assert (response.status, response.broken_by) == (200, broken_by)


def test_trailers_within_the_limit_leave_the_body_complete() -> None:
    with listening(script_of("trailers", {"size": MAX_BODY - 5})) as receiver:
        response = send(f"{receiver.origin}/hook")
    assert (response.body, response.complete) == (b"hello", True)


@pytest.mark.parametrize("interim", [False, True])
@pytest.mark.parametrize(("size", "outcome"), [(MAX_HEAD, "ok"), (MAX_HEAD + 1, Code.INVALID_RESPONSE)])
def test_the_head_has_one_size_limit(size: int, outcome: str, interim: bool) -> None:
    with listening(script_of("padded", {"size": size, "interim": interim})) as receiver:
        assert outcome_of(f"{receiver.origin}/hook") == outcome


@pytest.mark.parametrize("script", ["headers_by_bare_returns", "wide_headers"])
def test_a_huge_head_sent_at_the_last_moment_does_not_outlast_the_deadline(script: str) -> None:
    def late(connection: socket.socket) -> None:
        sleep(BRIEF.silence * 0.8)
        script_of(script, {})(connection)

    with listening(late) as receiver:
        started = monotonic()
        assert outcome_of(f"{receiver.origin}/hook") is Code.INVALID_RESPONSE
        assert monotonic() - started < BRIEF.whole


def test_a_compressed_body_is_left_as_it_is() -> None:
    with listening(script_of("compressed_thrice", {})) as receiver:
        assert send(f"{receiver.origin}/hook").body.startswith(b"\x1f\x8b")


def test_the_path_is_sent_exactly_as_given() -> None:
    with listening(script_of("plain", {"status": 200})) as receiver:
        send(f"{receiver.origin}/a%2Fb/../c//%7e?sp=%2Ftriggers&sig=%41b_-~'\"")
    assert receiver.heads[0].startswith(b"POST /a%2Fb/../c//%7e?sp=%2Ftriggers&sig=%41b_-~'\" HTTP/1.1\r\n")


def test_an_encoded_line_break_stays_encoded() -> None:
    with listening(script_of("plain", {"status": 200})) as receiver:
        send(f"{receiver.origin}/x%0d%0aX-Evil:%201")
    assert b"\nX-Evil" not in receiver.heads[0]


def test_the_request_asks_for_one_plain_response_and_sends_no_extra_headers() -> None:
    with listening(script_of("plain", {"status": 200})) as receiver:
        send(f"{receiver.origin}/hook", b'{"a": 1}')
    lines = sorted(receiver.heads[0].decode().split("\r\n")[1:-2])
    assert lines == [
        "Accept-Encoding: identity",
        "Connection: close",
        "Content-Length: 8",
        "Content-Type: application/json",
        f"Host: 127.0.0.1:{receiver.port}",
        "User-Agent: Alertcheck",
    ]


def test_a_redirect_is_not_followed() -> None:
    with listening(script_of("redirect", {"status": 307, "location": "/other"})) as receiver:
        assert outcome_of(f"{receiver.origin}/hook") is Code.REDIRECT_REFUSED
    assert len(receiver.heads) == 1


def test_a_cookie_is_not_sent_back() -> None:
    with listening(script_of("cookie", {})) as receiver:
        send(f"{receiver.origin}/hook")
        send(f"{receiver.origin}/hook")
    assert b"cookie" not in receiver.heads[1].lower()


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_from_the_environment_is_not_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        listening(script_of("plain", {"status": 502})) as proxy,
        listening(script_of("plain", {"status": 200})) as receiver,
    ):
        monkeypatch.setenv(name, proxy.origin)
        assert outcome_of(f"{receiver.origin}/hook") == "ok"
    assert proxy.heads == []


def test_credentials_from_a_netrc_file_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login us password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with listening(script_of("plain", {"status": 200})) as receiver:
        send(f"{receiver.origin}/hook")
    assert b"authorization" not in receiver.heads[0].lower()


def test_the_name_is_resolved_once_and_its_first_address_used() -> None:
    addresses = iter([["127.0.0.1", "127.0.0.2"], ["10.0.0.5"]])
    with listening(script_of("plain", {"status": 200})) as receiver:
        url = f"http://receiver.lan:{receiver.port}/hook"
        assert outcome_of(url, resolver=lambda host: next(addresses)) == "ok"
    assert f"Host: receiver.lan:{receiver.port}".encode() in receiver.heads[0]
    assert next(addresses) == ["10.0.0.5"]


def test_a_second_address_is_tried_when_the_first_refuses() -> None:
    with listening(script_of("plain", {"status": 200})) as receiver:
        url = f"http://receiver.lan:{receiver.port}/hook"
        assert outcome_of(url, resolver=lambda host: ["127.0.0.2", "127.0.0.1"]) == "ok"


def test_a_third_address_is_not_tried() -> None:
    with listening(script_of("plain", {"status": 200})) as receiver:
        url = f"http://receiver.lan:{receiver.port}/hook"
        outcome = outcome_of(url, resolver=lambda host: ["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    assert outcome is Code.CONNECT_REFUSED
    assert receiver.heads == []


def test_a_name_that_resolves_to_a_private_address_is_never_connected_to() -> None:
    with listening(script_of("plain", {"status": 200})) as receiver:
        policy = Policy(trusted_origins=frozenset({Origin("https", "other.example.com", receiver.port)}))
        outcome = outcome_of("https://hooks.example.com/hook", policy=policy, resolver=loopback)
    assert outcome is Code.TARGET_NOT_ALLOWED
    assert receiver.heads == []


def test_a_closed_port_refuses_the_connection() -> None:
    assert outcome_of(f"http://127.0.0.1:{closed_port()}/hook") is Code.CONNECT_REFUSED


def test_an_unaccepted_connection_ends_with_a_timeout() -> None:
    with full_port() as port:
        assert outcome_of(f"http://127.0.0.1:{port}/hook") is Code.CONNECT_TIMEOUT


def test_an_address_without_a_route_is_unreachable() -> None:
    # 240/4 has no route on Linux. A trusted origin skips our own network rules.
    outcome = outcome_of("http://receiver.lan:9/hook", resolver=lambda host: ["255.255.255.255"])
    assert outcome is Code.NETWORK_UNREACHABLE


@pytest.mark.slow
def test_a_slow_resolver_is_cut_after_three_seconds_by_default() -> None:
    started = monotonic()
    with pytest.raises(DeliveryFailed) as caught:
        post("https://hooks.example.com/x", b"{}", HEADERS, Policy(), None, lambda host: [str(Event().wait(9))])
    assert (caught.value.code, caught.value.facts.seconds) == (Code.DNS_TIMEOUT, 3)
    assert 2.9 < monotonic() - started < 4
