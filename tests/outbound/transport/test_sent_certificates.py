"""The second handshake: to the same address, inside the deadline, and nothing is sent after it."""

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest

from benchmarks.installation.processes import wait_until
from benchmarks.installation.scripted_server import Script, closed_port, listening, read_request
from tests.outbound.certificates import NAME, authority, issue, serving, write_pem
from tests.outbound.outcome_of import BRIEF, PATIENT, loopback, send, trusting
from tests.outbound.scripts import script_of
from webapp.failures import Cause, Code, DeliveryFailed
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Origin
from webapp.outbound.transport.deadline import Deadline, Limits
from webapp.outbound.transport.sent_certificates import read_sent_certificates

pytestmark = pytest.mark.slow

SECRET = "canary"
ROOT = authority("Example Corp Root")
LEAF = issue("leaf", ROOT)
CONTEXT = serving(LEAF, ROOT)


def failure_at(port: int, resolver: Callable[[str], list[str]] = loopback, limits: Limits = PATIENT) -> DeliveryFailed:
    url = f"https://{NAME}:{port}/{SECRET}"
    with pytest.raises(DeliveryFailed) as caught:
        send(url, policy=trusting(url), resolver=resolver, limits=limits)
    return caught.value


def read_all(stream: socket.socket) -> bytes:
    """Read to the end of the stream. The client may reset the connection, because it reads no session ticket."""
    data = b""
    with suppress(OSError):
        while piece := stream.recv(4096):
            data += piece
    return data


def recording(after_handshakes: list[bytes], then: Script | None = None) -> Script:
    """Return a script that records what follows each completed handshake. then: replaces it from the second on."""
    connections = []

    def script(connection: socket.socket) -> None:
        connections.append(connection)
        if len(connections) > 1 and then is not None:
            then(connection)
            return
        with suppress(OSError), closing(CONTEXT.wrap_socket(connection, server_side=True)) as stream:
            after_handshakes.append(read_all(stream))

    return script


def test_one_more_handshake_follows_and_is_followed_by_nothing() -> None:
    after_handshakes: list[bytes] = []
    with listening(recording(after_handshakes), read_first=False) as receiver:
        assert failure_at(receiver.port).code is Code.TLS_UNTRUSTED
        wait_until(lambda: after_handshakes)
    assert after_handshakes == [b""]


def is_asked(listener: socket.socket) -> bool:
    """Return whether a connection to this listener is waiting."""
    listener.settimeout(0.05)
    with suppress(TimeoutError):
        listener.accept()[0].close()
        return True
    return False


def test_it_goes_to_the_same_address_without_a_new_lookup() -> None:
    lookups: list[str] = []

    def rebind(host: str) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    with (
        listening(recording([]), read_first=False) as receiver,
        closing(socket.create_server(("127.0.0.2", receiver.port))) as elsewhere,
    ):
        assert failure_at(receiver.port, rebind).facts.certificate is not None
        assert not is_asked(elsewhere)
    assert lookups == [NAME]


def test_it_goes_to_the_address_that_answered_not_to_the_first_one_of_the_name() -> None:
    started_late: list[socket.socket] = []

    def start_the_other(connection: socket.socket) -> None:
        if not started_late:
            started_late.append(socket.create_server(("127.0.0.2", connection.getsockname()[1])))
        record(connection)

    record = recording([])
    with listening(start_the_other, read_first=False) as receiver:
        failure = failure_at(receiver.port, lambda host: ["127.0.0.2", "127.0.0.1"])
    with closing(started_late[0]) as other:
        assert not is_asked(other)
    assert failure.facts.certificate is not None


@pytest.mark.parametrize(
    "then",
    [
        script_of("silent", {}),
        script_of("hangs_up", {}),
        script_of("secure_shell", {}),
        script_of("dribbled_handshake", {}),
        lambda connection: sleep(2),
    ],
    ids=["silent", "hangs_up", "no_tls", "dribbles", "stalls"],
)
def test_if_it_fails_the_code_of_the_first_stands_inside_the_deadline(then: Script) -> None:
    started = monotonic()
    with listening(recording([], then), read_first=False) as receiver:
        failure = failure_at(receiver.port, limits=replace(BRIEF, connect=5.0))  # only the deadline is short
    assert monotonic() - started < BRIEF.whole + 0.5
    assert (failure.code, failure.facts.cause) == (Code.TLS_UNTRUSTED, Cause.NO_TRUSTED_CHAIN)
    assert failure.facts.certificate is None


def test_it_shows_no_path(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    after_handshakes: list[bytes] = []
    with listening(recording(after_handshakes), read_first=False) as receiver:
        failure = failure_at(receiver.port)
        wait_until(lambda: after_handshakes)
    assert SECRET.encode() not in b"".join(after_handshakes)
    assert SECRET not in caplog.text + failure.message + repr(failure.facts)


def test_a_trusted_certificate_is_not_read_a_second_time(tmp_path: Path) -> None:
    connections: list[socket.socket] = []

    def script(connection: socket.socket) -> None:
        connections.append(connection)
        with closing(CONTEXT.wrap_socket(connection, server_side=True)) as stream:
            read_request(stream)
            script_of("plain", {"status": 200})(stream)

    with listening(script, read_first=False) as receiver:
        url = f"https://{NAME}:{receiver.port}/hook"
        assert send(url, policy=trusting(url, write_pem(tmp_path, ROOT)), limits=PATIENT).status == 200
    assert len(connections) == 1


def test_through_a_proxy_it_uses_the_same_tunnel() -> None:
    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with closing(CONTEXT.wrap_socket(connection, server_side=True)) as stream:
            stream.recv(1)

    lookups: list[str] = []

    def public(host: str) -> list[str]:
        lookups.append(host)
        return ["93.184.216.34"]

    with listening(tunnel) as proxy:
        policy = Policy(proxy=Origin("http", "127.0.0.1", proxy.port))
        with pytest.raises(DeliveryFailed) as caught:
            send(f"https://{NAME}/{SECRET}", policy=policy, resolver=public, limits=PATIENT)
    assert (caught.value.code, caught.value.facts.authority) == (Code.TLS_UNTRUSTED, "Example Corp Root")
    assert proxy.heads == [b"CONNECT 93.184.216.34:443 HTTP/1.1\r\nHost: 93.184.216.34:443\r\n\r\n"] * 2
    assert lookups == [NAME]


def test_a_proxy_that_refuses_the_second_tunnel_is_not_blamed() -> None:
    connections: list[socket.socket] = []

    def tunnel_once(connection: socket.socket) -> None:
        connections.append(connection)
        connection.sendall(b"HTTP/1.1 %d Whatever\r\n\r\n" % (200 if len(connections) == 1 else 403))
        with suppress(OSError), closing(CONTEXT.wrap_socket(connection, server_side=True)) as stream:
            stream.recv(1)

    with listening(tunnel_once) as proxy:
        policy = Policy(proxy=Origin("http", "127.0.0.1", proxy.port))
        with pytest.raises(DeliveryFailed) as caught:
            send(f"https://{NAME}/hook", policy=policy, resolver=lambda host: ["93.184.216.34"], limits=PATIENT)
    assert caught.value.code is Code.TLS_UNTRUSTED


def test_the_certificates_are_returned_as_they_were_sent() -> None:
    with (
        listening(script_of("hangs_up", {}), serving(LEAF, ROOT), read_first=False) as receiver,
        Deadline(5) as deadline,
    ):
        reopen = lambda: socket.create_connection(("127.0.0.1", receiver.port), timeout=2)  # noqa: E731
        assert read_sent_certificates(NAME, deadline, reopen) == (LEAF.der, ROOT.der)


def test_with_no_time_left_nothing_is_opened() -> None:
    def reopen() -> socket.socket:
        raise AssertionError

    with Deadline(0.01) as deadline:
        sleep(0.02)
        assert read_sent_certificates(NAME, deadline, reopen) == ()


def test_a_receiver_that_is_gone_sends_nothing() -> None:
    port = closed_port()
    with Deadline(5) as deadline:
        assert read_sent_certificates(NAME, deadline, lambda: socket.create_connection(("127.0.0.1", port))) == ()
