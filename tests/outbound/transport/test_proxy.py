"""The administrator's proxy: it gets the checked address and nothing else."""

import socket
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from benchmarks.installation.scripted_server import Script, closed_port, context_of, listening, read_request
from tests.outbound.outcome_of import outcome_of, send
from tests.outbound.scripts import script_of
from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Origin
from webapp.outbound.transport.deadline import Limits

pytestmark = pytest.mark.slow

HOOK = "https://hooks.example.com/canary"
UNREACHABLE = Facts("hooks.example.com", cause=Cause.PROXY_UNREACHABLE)
BASIC = "Basic Y2FuYXJ5OnDDpHNz"


def through(
    port: int,
    ca_file: Path | None = None,
    trusted: frozenset[Origin] = frozenset(),
    authorization: str | None = None,
) -> Policy:
    """Return a policy with a proxy on this loopback port."""
    proxy = Origin("http", "127.0.0.1", port)
    return Policy(trusted, proxy=proxy, proxy_authorization=authorization, ca_file=str(ca_file) if ca_file else None)


def failure_through(policy: Policy) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        send(HOOK, policy=policy, resolver=public)
    return caught.value


def public(host: str) -> list[str]:
    """Resolve every name to one public address."""
    return ["93.184.216.34"]


def tunnelling_to(certificate: trustme.LeafCert, heads: list[bytes]) -> Script:
    """Return a proxy that opens the tunnel and acts as the receiver itself."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n")
        with closing(context_of(certificate).wrap_socket(connection, server_side=True)) as line:
            heads.append(read_request(line))
            script_of("plain", {"status": 200})(line)

    return script


def test_the_proxy_is_asked_for_the_checked_address_and_sees_no_path(authority: trustme.CA, ca_file: Path) -> None:
    heads: list[bytes] = []
    with listening(tunnelling_to(authority.issue_cert("hooks.example.com"), heads)) as proxy:
        assert outcome_of(HOOK, policy=through(proxy.port, ca_file), resolver=public) == "ok"
    assert proxy.heads == [b"CONNECT 93.184.216.34:443 HTTP/1.1\r\nHost: 93.184.216.34:443\r\n\r\n"]
    assert heads[0].startswith(b"POST /canary HTTP/1.1\r\n")


def test_the_environment_cannot_switch_the_proxy_off(
    authority: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with listening(tunnelling_to(authority.issue_cert("hooks.example.com"), [])) as proxy:
        assert outcome_of(HOOK, policy=through(proxy.port, ca_file), resolver=public) == "ok"
    assert len(proxy.heads) == 1


def test_a_forbidden_address_is_refused_before_the_proxy_is_asked() -> None:
    with listening(script_of("plain", {"status": 502})) as proxy:
        outcome = outcome_of(HOOK, policy=through(proxy.port), resolver=lambda host: ["10.0.0.5"])
    assert outcome is Code.TARGET_NOT_ALLOWED
    assert proxy.heads == []


def test_a_trusted_origin_is_reached_without_the_proxy() -> None:
    with (
        listening(script_of("plain", {"status": 502})) as proxy,
        listening(script_of("plain", {"status": 200})) as receiver,
    ):
        trusted = frozenset({Origin("http", "127.0.0.1", receiver.port)})
        policy = through(proxy.port, trusted=trusted)
        assert outcome_of(f"{receiver.origin}/hook", policy=policy) == "ok"
    assert proxy.heads == []


@pytest.mark.parametrize(
    "script",
    [
        script_of("plain", {"status": 403}),
        script_of("plain", {"status": 502}),
        script_of("endless_header", {}),
        script_of("dribbled_headers", {}),
        script_of("cut_in_headers", {}),
        script_of("secure_shell", {}),
        script_of("silent", {}),
        script_of("resets", {}),
    ],
    ids=["forbids", "cannot", "endless", "dribbles", "cut", "no_http", "silent", "resets"],
)
def test_a_proxy_that_opens_no_tunnel_means_network_unreachable(script: Script) -> None:
    with listening(script) as proxy:
        assert outcome_of(HOOK, policy=through(proxy.port), resolver=public) is Code.NETWORK_UNREACHABLE


def test_a_proxy_whose_name_is_not_found_is_not_in_the_failure() -> None:
    # The system rejects an address on a missing interface without using the network.
    policy = Policy(proxy=Origin("http", "fe80::1%gone", 3128))
    with pytest.raises(DeliveryFailed) as caught:
        send(HOOK, policy=policy, resolver=public)
    assert (caught.value.code, caught.value.facts) == (Code.NETWORK_UNREACHABLE, UNREACHABLE)


def test_a_proxy_that_refuses_the_connection_is_not_blamed_on_the_receiver() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        send(HOOK, policy=through(closed_port()), resolver=public)

    assert (caught.value.code, caught.value.facts) == (Code.NETWORK_UNREACHABLE, UNREACHABLE)


def test_a_password_is_sent_to_the_proxy_and_not_to_the_receiver(authority: trustme.CA, ca_file: Path) -> None:
    heads: list[bytes] = []
    with listening(tunnelling_to(authority.issue_cert("hooks.example.com"), heads)) as proxy:
        policy = through(proxy.port, ca_file, authorization=BASIC)
        assert outcome_of(HOOK, policy=policy, resolver=public) == "ok"
    assert proxy.heads[0].endswith(f"Host: 93.184.216.34:443\r\nProxy-Authorization: {BASIC}\r\n\r\n".encode())
    assert b"proxy-authorization" not in heads[0].lower()
    assert BASIC.encode() not in heads[0]


def test_a_proxy_that_asks_for_a_password_is_told_apart_and_not_tried_again() -> None:
    with listening(script_of("plain", {"status": 407})) as proxy:
        failure = failure_through(through(proxy.port))
    assert (failure.code, failure.facts.cause, failure.may_retry) == (
        Code.NETWORK_UNREACHABLE,
        Cause.PROXY_SIGN_IN,
        False,
    )
    assert failure.message.endswith("Your Alertcheck administrator has to add them to ALERTCHECK_EGRESS_PROXY.")


def test_a_proxy_that_refuses_the_password_is_told_apart_and_the_password_not_shown() -> None:
    with listening(script_of("plain", {"status": 407})) as proxy:
        policy = through(proxy.port, authorization=BASIC)
        failure = failure_through(policy)
    assert (failure.code, failure.facts.cause) == (Code.NETWORK_UNREACHABLE, Cause.PROXY_PASSWORD)
    assert "does not accept the user name and the password in ALERTCHECK_EGRESS_PROXY" in failure.message
    assert BASIC not in repr(policy) + failure.message + repr(failure)


def test_a_proxy_that_connects_to_nothing_is_named() -> None:
    with listening(script_of("plain", {"status": 502})) as proxy:
        failure = failure_through(through(proxy.port))
    assert (failure.facts.cause, failure.may_retry) == (Cause.PROXY_REFUSED, True)


def test_a_trusted_origin_never_gets_the_password_of_the_proxy() -> None:
    with listening(script_of("plain", {"status": 200})) as receiver:
        trusted = frozenset({Origin("http", "127.0.0.1", receiver.port)})
        policy = through(1, trusted=trusted, authorization=BASIC)
        assert outcome_of(f"{receiver.origin}/hook", policy=policy) == "ok"
    assert BASIC.encode() not in receiver.heads[0]


def refusing_ipv6(certificate: trustme.LeafCert, refuse: Script, asked: list[bytes]) -> Script:
    """Return a proxy that reaches the receiver by IPv4 only."""
    accept = tunnelling_to(certificate, [])

    def script(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        (refuse if b"[" in asked[-1] else accept)(connection)

    return script


@pytest.mark.parametrize(
    "refusal", [script_of("plain", {"status": 503}), script_of("silent", {}), script_of("resets", {})]
)
def test_a_proxy_that_reaches_only_one_ip_version_is_asked_for_the_other_too(
    authority: trustme.CA, ca_file: Path, refusal: Script
) -> None:
    asked: list[bytes] = []
    script = refusing_ipv6(authority.issue_cert("hooks.example.com"), refusal, asked)
    answers = ["64:ff9b::5db8:d822", "64:ff9b::5db8:d823", "93.184.216.34", "93.184.216.35"]
    with listening(script, read_first=False) as proxy:
        limits = Limits(connect=2.0)
        outcome = outcome_of(HOOK, policy=through(proxy.port, ca_file), resolver=lambda host: answers, limits=limits)
    assert outcome == "ok"
    assert [head.split()[1] for head in asked] == [b"[64:ff9b::5db8:d822]:443", b"93.184.216.34:443"]


def test_a_proxy_that_refuses_both_ip_versions_means_network_unreachable() -> None:
    with listening(script_of("plain", {"status": 503})) as proxy:
        outcome = outcome_of(
            HOOK, policy=through(proxy.port), resolver=lambda host: ["64:ff9b::5db8:d822", "93.184.216.34"]
        )
    assert outcome is Code.NETWORK_UNREACHABLE
    assert len(proxy.heads) == 2


def test_a_proxy_that_asks_for_a_password_is_not_asked_for_the_other_ip_version() -> None:
    with listening(script_of("plain", {"status": 407})) as proxy:
        outcome = outcome_of(
            HOOK, policy=through(proxy.port), resolver=lambda host: ["64:ff9b::5db8:d822", "93.184.216.34"]
        )
    assert outcome is Code.NETWORK_UNREACHABLE
    assert len(proxy.heads) == 1
