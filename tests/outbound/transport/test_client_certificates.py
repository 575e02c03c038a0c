"""A receiver that requires a client certificate: nothing was delivered, which is claimed only where it is certain."""

import socket
import ssl
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
import trustme

from benchmarks.installation.scripted_server import Script, context_of, listening, read_request
from tests.outbound.outcome_of import PATIENT, outcome_of, trusting
from tests.outbound.scripts import script_of
from webapp.failures import Code
from webapp.outbound.transport import client_certificates
from webapp.outbound.transport.tls import make_context

pytestmark = pytest.mark.slow

NAME = "hooks.example.com"
RESPONSE = script_of("plain", {"status": 200, "body": "ok"})
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def asking(authority: trustme.CA, version: ssl.TLSVersion, mode: ssl.VerifyMode = ssl.CERT_REQUIRED) -> ssl.SSLContext:
    """Return the TLS context of a server that asks for a client certificate."""
    context = context_of(authority.issue_cert(NAME))
    authority.configure_trust(context)
    context.verify_mode = mode
    context.minimum_version = context.maximum_version = version
    return context


def outcome_at(port: int, ca_file: Path, body: bytes = b"{}") -> str | Code:
    url = f"https://{NAME}:{port}/hook"
    return outcome_of(url, body, policy=trusting(url, ca_file), limits=PATIENT)


def handshaking(context: ssl.SSLContext, then: Script) -> Script:
    """Return a script that makes the handshake as a server and goes on with the bare connection."""

    def script(connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                server.do_handshake()
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
            except ssl.SSLError:
                break  # the certificate is missing; the alert stays unsent
        then(connection)

    return script


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("body", [b"{}", b"x" * 300_000], ids=["short", "long"])
@pytest.mark.parametrize("_", range(5))
def test_a_required_certificate_is_named_and_nothing_is_sent(
    version: ssl.TLSVersion, body: bytes, _: int, authority: trustme.CA, ca_file: Path
) -> None:
    with listening(RESPONSE, asking(authority, version)) as receiver:
        assert outcome_at(receiver.port, ca_file, body) is Code.CLIENT_CERTIFICATE_REQUIRED
    assert receiver.heads == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_connection_closed_without_an_alert_after_the_request_counts_too(
    version: ssl.TLSVersion, authority: trustme.CA, ca_file: Path
) -> None:
    with listening(handshaking(asking(authority, version), lambda _: None), read_first=False) as receiver:
        assert outcome_at(receiver.port, ca_file) is Code.CLIENT_CERTIFICATE_REQUIRED


@pytest.mark.parametrize("version", VERSIONS)
def test_a_receiver_that_only_offers_to_check_a_certificate_gets_the_message(
    version: ssl.TLSVersion, authority: trustme.CA, ca_file: Path
) -> None:
    started = monotonic()
    with listening(RESPONSE, asking(authority, version, ssl.CERT_OPTIONAL)) as receiver:
        assert outcome_at(receiver.port, ca_file) == "ok"
    assert monotonic() - started < client_certificates.VERDICT_SECONDS  # its session tickets end the wait


def test_a_receiver_that_sends_no_session_ticket_gets_the_message_after_the_wait(
    authority: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_certificates, "VERDICT_SECONDS", 0.1)
    context = asking(authority, ssl.TLSVersion.TLSv1_3, ssl.CERT_OPTIONAL)
    context.num_tickets = 0
    with listening(RESPONSE, context) as receiver:
        assert outcome_at(receiver.port, ca_file) == "ok"


@pytest.mark.parametrize("hook", [True, False], ids=["with_the_hook", "without_the_hook"])
def test_a_late_alert_after_the_request_was_written_is_recognized(
    hook: bool, authority: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_certificates, "VERDICT_SECONDS", 0.05)
    if not hook:
        monkeypatch.setattr(make_context(str(ca_file), "http/1.1"), "_msg_callback", None)
    with listening(rejecting_late(asking(authority, ssl.TLSVersion.TLSv1_3)), read_first=False) as receiver:
        assert outcome_at(receiver.port, ca_file) is Code.CLIENT_CERTIFICATE_REQUIRED


def rejecting_late(context: ssl.SSLContext) -> Script:
    """Return a script that rejects the missing certificate only after the client has written its request."""

    def script(connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(connection.recv(65536))
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
        connection.sendall(outgoing.read())
        sleep(0.2)
        incoming.write(connection.recv(65536))
        with suppress(ssl.SSLError):
            server.do_handshake()
        connection.sendall(outgoing.read())
        connection.recv(65536)

    return script


def test_a_connection_closed_after_the_request_may_have_arrived(authority: trustme.CA, ca_file: Path) -> None:
    context = asking(authority, ssl.TLSVersion.TLSv1_3, ssl.CERT_OPTIONAL)
    with listening(script_of("hangs_up", {}), context) as receiver:
        assert outcome_at(receiver.port, ca_file) is Code.CONNECTION_CLOSED
    assert receiver.heads[0].startswith(b"POST /hook ")


def test_another_tls_error_after_the_request_may_have_arrived(authority: trustme.CA, ca_file: Path) -> None:
    context = context_of(authority.issue_cert(NAME))

    def break_encryption(connection: socket.socket) -> None:
        with closing(context.wrap_socket(connection, server_side=True)) as stream:
            read_request(stream)
            socket.socket.sendall(stream, b"\x17\x03\x03\x00\x20" + bytes(32))  # a record that nobody encrypted
            stream.recv(1)

    with listening(break_encryption, read_first=False) as receiver:
        assert outcome_at(receiver.port, ca_file) is Code.CONNECTION_CLOSED


def test_a_response_before_the_whole_message_was_read_is_read_under_tls(authority: trustme.CA, ca_file: Path) -> None:
    context = context_of(authority.issue_cert(NAME))

    def refuse_unread(connection: socket.socket) -> None:
        script_of("plain", {"status": 413})(connection)
        sleep(0.1)  # then it closes with unread bytes, which breaks the write

    with listening(refuse_unread, context, read_first=False) as receiver:
        assert outcome_at(receiver.port, ca_file, b"x" * 20_000_000) is Code.PAYLOAD_TOO_LARGE


def test_a_receiver_that_speaks_before_the_request_fails_the_encryption(authority: trustme.CA, ca_file: Path) -> None:
    context = asking(authority, ssl.TLSVersion.TLSv1_3, ssl.CERT_OPTIONAL)
    context.num_tickets = 0
    with listening(RESPONSE, context, read_first=False) as receiver:
        assert outcome_at(receiver.port, ca_file) is Code.TLS_FAILED
