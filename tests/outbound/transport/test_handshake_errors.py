"""A handshake that fails for another reason than the certificate: each reason has its own true sentence."""

import socket
import ssl
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
import trustme

from benchmarks.installation.scripted_server import Script, closed_port, context_of, listening
from tests.outbound.outcome_of import BRIEF, send, trusting
from tests.outbound.scripts import script_of
from webapp.failures import Cause, Code, DeliveryFailed
from webapp.outbound.transport.deadline import Limits

pytestmark = pytest.mark.slow

NAME = "hooks.example.com"
RESPONSE = script_of("plain", {"status": 200, "body": "ok"})


def failure_at(port: int, ca_file: Path, limits: Limits = BRIEF) -> DeliveryFailed:
    """Return the failure of a send to this port."""
    url = f"https://{NAME}:{port}/hook"
    with pytest.raises(DeliveryFailed) as caught:
        send(url, policy=trusting(url, ca_file), limits=limits)
    return caught.value


def answering(*pieces: bytes) -> Script:
    """Return a script that reads the first handshake message and answers with these bytes."""

    def script(connection: socket.socket) -> None:
        connection.recv(16384)
        connection.sendall(b"".join(pieces))
        connection.recv(16384)

    return script


def cut(connection: socket.socket) -> None:
    """Close inside the first answer."""
    connection.recv(16384)
    connection.sendall(b"\x16\x03")


def reset(connection: socket.socket) -> None:
    """Close with unread bytes, which resets the connection."""
    connection.recv(1)


def alert(number: int) -> bytes:
    """Return the record of a fatal alert."""
    return b"\x15\x03\x03\x00\x02\x02" + bytes([number])


# A ServerHello of TLS 1.0, as servers answer that know no later version and no alert for it.
OLD_HELLO = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01" + bytes(32) + b"\x00\x00\x2f\x00"


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Cause.NOT_TLS),
        (script_of("secure_shell", {}), Cause.NOT_TLS),
        (script_of("hangs_up", {}), Cause.HANDSHAKE_CLOSED),
        (reset, Cause.HANDSHAKE_CLOSED),
        (cut, Cause.HANDSHAKE_CLOSED),
        (answering(alert(0)), None),
        (answering(alert(40)), Cause.HANDSHAKE_REFUSED),
        (answering(alert(49)), Cause.HANDSHAKE_REFUSED),
        (answering(alert(70)), Cause.OLD_TLS),
        (answering(alert(71)), Cause.WEAK_ENCRYPTION),
        (answering(alert(80)), Cause.SERVER_ERROR),
        (answering(alert(112)), Cause.NAME_REFUSED),
        (answering(alert(120)), None),
        (answering(OLD_HELLO), Cause.OLD_TLS),
        (answering(b"\x16\x03\x03\x00\x05hello"), None),
        (answering(bytes(50)), Cause.NOT_TLS),
    ],
    ids=[
        *("http", "ssh", "hangs_up", "resets", "cut", "close_notify", "handshake_failure", "access_denied"),
        *("protocol_version", "insufficient_security", "internal_error", "unrecognized_name", "no_protocol"),
        *("old_hello", "garbage", "zeros"),
    ],
)
def test_a_failed_handshake_names_its_cause_and_nothing_is_sent(
    script: Script, cause: Cause | None, ca_file: Path
) -> None:
    with listening(script, read_first=False) as receiver:
        failure = failure_at(receiver.port, ca_file)
    assert (failure.code, failure.facts.cause) == (Code.TLS_FAILED, cause)
    assert failure.message.removeprefix("The encrypted connection to ").startswith(NAME)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_with_only_old_tls_versions_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    context = context_of(authority.issue_cert(NAME))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with listening(RESPONSE, context) as receiver:
        failure = failure_at(receiver.port, ca_file)
    assert failure.message == f"{NAME} does not support TLS 1.2 or later, which Alertcheck requires."


def test_a_server_without_a_common_cipher_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    context = context_of(authority.issue_cert(NAME))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    with listening(RESPONSE, context) as receiver:
        assert failure_at(receiver.port, ca_file).facts.cause is Cause.HANDSHAKE_REFUSED


def test_a_server_that_does_not_serve_the_name_is_named_so(authority: trustme.CA, ca_file: Path) -> None:
    context = context_of(authority.issue_cert(NAME))
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    with listening(RESPONSE, context) as receiver:
        assert failure_at(receiver.port, ca_file).facts.cause is Cause.NAME_REFUSED


def test_a_server_that_never_starts_the_handshake_is_a_connect_timeout(ca_file: Path) -> None:
    started = monotonic()
    with listening(script_of("silent", {}), read_first=False) as receiver:
        failure = failure_at(receiver.port, ca_file)
    assert monotonic() - started < BRIEF.whole + 1
    assert failure.code is Code.CONNECT_TIMEOUT
    assert failure.message == (
        f"{NAME} accepted the connection but did not complete the TLS handshake in time ({BRIEF.connect:g} s)."
    )


def test_a_handshake_byte_by_byte_is_cut_by_the_deadline(ca_file: Path) -> None:
    started = monotonic()
    limits = replace(BRIEF, connect=5.0)  # only the deadline is short
    with listening(script_of("dribbled_handshake", {}), read_first=False) as receiver:
        failure = failure_at(receiver.port, ca_file, limits)
    assert monotonic() - started < BRIEF.whole + 1
    assert (failure.code, failure.facts.cause) == (Code.CONNECT_TIMEOUT, Cause.HANDSHAKE_SILENT)


def test_no_second_connection_follows_an_error_that_is_not_about_the_certificate(ca_file: Path) -> None:
    connections: list[socket.socket] = []

    def refuse(connection: socket.socket) -> None:
        connections.append(connection)
        answering(alert(40))(connection)

    with listening(refuse, read_first=False) as receiver:
        failure_at(receiver.port, ca_file)
    assert len(connections) == 1


def test_without_a_connection_there_is_no_tls_cause(ca_file: Path) -> None:
    failure = failure_at(closed_port(), ca_file)
    assert (failure.code, failure.facts.cause) == (Code.CONNECT_REFUSED, None)
