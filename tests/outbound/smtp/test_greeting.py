"""The greeting: how long it is waited for, and what listens on the port if there is none."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.message import EmailMessage
from threading import Thread
from time import monotonic

import pytest
import trustme

from tests.outbound.smtp.mail_servers import (
    OFFERS_TLS,
    PASSWORD,
    SENDER,
    THREE,
    failure_from,
    failure_of,
    plain,
    server_context,
)
from tests.scripted_mail_server import HANG_UP, KEEP_SILENT, After, Script, ScriptedMailServer, mail_server
from webapp.failures import MEANINGS, Code
from webapp.outbound.smtp import greeting
from webapp.outbound.smtp.client import MailSecurity, MailServer, send_mail
from webapp.outbound.smtp.greeting import greeting_patience
from webapp.outbound.transport.deadline import Deadline, Limits

pytestmark = pytest.mark.slow

# Time enough for a TLS handshake on a busy machine, even in the part that is kept for finding the cause.
PATIENT = Limits(whole=6.0, connect=2.0, silence=0.5)
# A server that hangs up after a second was waiting for TLS.
HASTY = Limits(whole=4.0, connect=2.0, silence=0.5)


def with_security(receiver: ScriptedMailServer, security: MailSecurity, ca_file: str | None = None) -> MailServer:
    return replace(plain(receiver), security=security, ca_file=ca_file, limits=PATIENT)


@contextmanager
def service(answer: Callable[[socket.socket], None]) -> Iterator[MailServer]:
    """Run something that is no mail server; yield the settings that name it as one, without encryption."""

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(10)
                with connection, suppress(OSError):
                    answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, args=(listener,), daemon=True).start()
        yield MailServer("127.0.0.1", listener.getsockname()[1], SENDER, MailSecurity.NONE, limits=PATIENT)
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


# Patience


def test_a_greeting_may_take_longer_than_any_other_reply(message: EmailMessage) -> None:
    with mail_server({"GREETING": After(1.5, "220 mail.example")}) as receiver:
        assert send_mail(with_security(receiver, MailSecurity.NONE), message, THREE).status == 250
    with mail_server({"MAIL": After(1.5, "250 ok")}) as receiver:
        failure = failure_of(lambda: send_mail(with_security(receiver, MailSecurity.NONE), message, THREE))
    assert failure.code is Code.SMTP_INTERRUPTED


def test_postscreens_six_seconds_are_waited_for_and_more() -> None:
    with Deadline(Limits().whole) as deadline:
        patience = greeting_patience(MailServer("127.0.0.1", 25, SENDER), deadline)
    assert 6.5 < patience <= 7.0


def test_a_greeting_held_back_for_longer_has_delivered_nothing(message: EmailMessage) -> None:
    limits = Limits(whole=2.0, connect=0.5, silence=0.3)
    with mail_server({"GREETING": After(3.0, "220 mail.example")}) as receiver:
        failure = failure_of(lambda: send_mail(replace(plain(receiver), limits=limits), message, THREE))
    assert (failure.code, failure.may_retry) == (Code.SMTP_INTERRUPTED, True)
    assert "before it greeted Alertcheck" in failure.message
    assert not MEANINGS[failure.code].may_have_arrived
    assert receiver.messages == []


def test_a_greeting_in_two_parts_is_waited_for(message: EmailMessage) -> None:
    def greet_slowly(connection: socket.socket) -> None:
        connection.sendall(b"220-mail.example\r\n")
        connection.settimeout(1.0)
        with suppress(TimeoutError):
            connection.recv(100)
        connection.sendall(b"554 no\r\n")

    with service(greet_slowly) as server:
        assert failure_of(lambda: send_mail(server, message, THREE)).code is Code.SMTP_HOST_REFUSED


# The wrong security for the port


@pytest.mark.parametrize("security", [MailSecurity.NONE, MailSecurity.STARTTLS])
def test_a_port_that_expects_tls_at_once_is_named_with_its_scheme(
    security: MailSecurity, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    with mail_server(tls=server_context(authority), at_once=True) as receiver:
        failure = failure_of(lambda: send_mail(with_security(receiver, security, ca_file), message, THREE))
        assert failure.code is Code.SMTP_WRONG_PORT
        assert f"127.0.0.1 expects smtps:// on port {receiver.port}" in failure.message
    with mail_server(tls=server_context(authority), at_once=True) as receiver:
        corrected = with_security(receiver, MailSecurity.TLS, ca_file)
        assert send_mail(corrected, message, THREE).status == 250


def test_a_server_that_waits_for_tls_and_then_hangs_up_expects_tls(
    message: EmailMessage, authority: trustme.CA
) -> None:
    def wait_for_tls(connection: socket.socket) -> None:
        connection.settimeout(1.0)
        with server_context(authority).wrap_socket(connection, server_side=True):
            pass

    with service(wait_for_tls) as server:
        failure = failure_of(lambda: send_mail(replace(server, limits=HASTY), message, THREE))
    assert failure.code is Code.SMTP_WRONG_PORT


def test_a_tls_alert_instead_of_a_greeting_means_that_the_port_expects_tls(message: EmailMessage) -> None:
    with service(lambda connection: connection.sendall(b"\x15\x03\x01\x00\x02\x02\x28")) as server:
        assert failure_of(lambda: send_mail(server, message, THREE)).code is Code.SMTP_WRONG_PORT


@pytest.mark.parametrize("reply", [KEEP_SILENT, HANG_UP])
@pytest.mark.parametrize("security", [MailSecurity.NONE, MailSecurity.STARTTLS])
def test_on_the_port_of_smtps_silence_means_that_it_expects_tls(
    security: MailSecurity, reply: str, message: EmailMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server({"GREETING": reply}) as receiver:
        monkeypatch.setattr(greeting, "TLS_PORT", receiver.port)
        server = replace(with_security(receiver, security), limits=Limits(whole=0.8, connect=0.5, silence=0.3))
        failure = failure_of(lambda: send_mail(server, message, THREE))
    assert failure.code is Code.SMTP_WRONG_PORT
    assert "smtps://" in failure.message


@pytest.mark.parametrize(
    ("script", "password", "scheme"),
    [
        ({"EHLO": OFFERS_TLS}, None, "smtp+starttls://"),
        ({}, None, "smtp://"),
        ({}, PASSWORD, "smtp+starttls://"),
        ({"GREETING": "554 not for you"}, None, "smtp://"),
    ],
)
def test_a_port_that_greets_without_tls_is_named_with_its_scheme(
    script: Script, password: str | None, scheme: str, message: EmailMessage
) -> None:
    with mail_server(script) as receiver:
        server = with_security(receiver, MailSecurity.TLS)
        server = replace(server, username="ann" if password else None, password=password)
        failure = failure_of(lambda: send_mail(server, message, THREE))
        assert failure.code is Code.SMTP_WRONG_PORT
        assert f"127.0.0.1 expects {scheme} on port {receiver.port}" in failure.message
    assert PASSWORD not in str(receiver.commands)


def test_with_the_scheme_that_the_sentence_names_the_server_accepts(
    message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    with mail_server({"EHLO": OFFERS_TLS}, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(with_security(receiver, MailSecurity.TLS, ca_file), message, THREE))
        assert "smtp+starttls://" in failure.message
        assert send_mail(with_security(receiver, MailSecurity.STARTTLS, ca_file), message, THREE).status == 250


def test_a_server_whose_tls_is_too_old_is_not_called_a_wrong_port(
    message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    def refuse_handshake(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

    with service(refuse_handshake) as server:
        server = replace(server, security=MailSecurity.TLS)
        assert failure_of(lambda: send_mail(server, message, THREE)).code is Code.TLS_FAILED


def test_an_untrusted_certificate_is_not_called_a_wrong_port(message: EmailMessage, authority: trustme.CA) -> None:
    with mail_server(tls=server_context(authority), at_once=True) as receiver:
        failure = failure_of(lambda: send_mail(with_security(receiver, MailSecurity.TLS), message, THREE))
    assert failure.code.startswith("tls_")


# Other services


def respond_as_a_web_server(connection: socket.socket) -> None:
    received = b""
    while b"\n" not in received and (more := connection.recv(4096)):
        received += more
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (respond_as_a_web_server, "HTTP"),
        (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"), "SSH"),
        (lambda connection: connection.sendall(b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n"), "IMAP"),
        (lambda connection: connection.sendall(b"+OK Dovecot ready.\r\n"), "POP3"),
    ],
)
def test_another_service_on_the_port_is_named(
    answer: Callable[[socket.socket], None], name: str, message: EmailMessage
) -> None:
    with service(answer) as server:
        failure = failure_of(lambda: send_mail(server, message, THREE))
    assert (failure.code, failure.may_retry) == (Code.SMTP_PROTOCOL, False)
    assert failure.message == f"127.0.0.1 does not respond as a mail server should ({name})."


def test_another_service_over_tls_is_named(message: EmailMessage, authority: trustme.CA, ca_file: str) -> None:
    with mail_server({"GREETING": "* OK IMAP4 ready"}, server_context(authority), at_once=True) as receiver:
        failure = failure_of(lambda: send_mail(with_security(receiver, MailSecurity.TLS, ca_file), message, THREE))
    assert (failure.code, failure.facts.token) == (Code.SMTP_PROTOCOL, "IMAP")


def test_a_web_server_where_tls_was_expected_is_named(message: EmailMessage) -> None:
    with service(respond_as_a_web_server) as server:
        server = replace(server, security=MailSecurity.TLS)
        failure = failure_of(lambda: send_mail(server, message, THREE))
    assert (failure.code, failure.facts.token) == (Code.SMTP_PROTOCOL, "HTTP")


@pytest.mark.parametrize("begin", ["nonsense", "", "25", "999 what", "354 more"])
def test_what_greets_like_no_service_of_the_list_is_no_mail_server_either(begin: str, message: EmailMessage) -> None:
    assert failure_from({"GREETING": begin}, message).code is Code.SMTP_PROTOCOL


def test_an_ftp_server_is_no_mail_server(message: EmailMessage) -> None:
    script: Script = {"GREETING": "220 (vsFTPd 3.0.5)", "EHLO": "530 Please login with USER and PASS."}
    assert failure_from(script, message).code is Code.SMTP_PROTOCOL


def test_a_silent_server_gets_nothing_before_it_is_given_up(message: EmailMessage) -> None:
    received_at: list[float] = []

    def stay_silent(connection: socket.socket) -> None:
        if connection.recv(100):
            received_at.append(monotonic())

    with service(stay_silent) as server:
        began = monotonic()
        failure_of(lambda: send_mail(replace(server, limits=Limits(whole=2.0, silence=0.3)), message, THREE))
    assert received_at[0] - began > 1.6
