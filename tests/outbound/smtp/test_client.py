"""The mail client, against a scripted mail server."""

import logging
import socket
import struct
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from threading import Thread

import pytest
import trustme

from tests.outbound.smtp.mail_servers import (
    PASSWORD,
    SENDER,
    SHORT,
    THREE,
    failure_from,
    failure_of,
    offering,
    plain,
    server_context,
    signing_in,
)
from tests.scripted_mail_server import HANG_UP, KEEP_SILENT, NEVER_END, STOP_MIDWAY, Script, mail_server
from webapp.failures import MEANINGS, Code
from webapp.outbound.smtp.client import MailSecurity, MailServer, parse_mail_url, send_mail
from webapp.outbound.smtp.reply_reader import MAX_LINE, MAX_REPLY
from webapp.outbound.smtp.response import RecipientRefusal
from webapp.outbound.transport.deadline import Limits

pytestmark = pytest.mark.slow

TOO_MANY_LINES = "250-and another thing\r\n" * 100_000 + "250 the end"


# Accepted mail


def test_an_accepted_message_returns_the_reply_code_after_the_data(message: EmailMessage) -> None:
    with mail_server() as receiver:
        response = send_mail(plain(receiver), message, THREE)
    assert (response.status, response.refusals, response.recipients) == (250, (), 3)
    assert 0 < response.seconds < 8


def test_the_envelope_names_the_sender_and_every_recipient(message: EmailMessage) -> None:
    with mail_server() as receiver:
        send_mail(plain(receiver), message, THREE)
    assert receiver.verbs == ["EHLO", "MAIL", "RCPT", "RCPT", "RCPT", "DATA", "QUIT"]
    paths = [command.partition(":")[2] for command in receiver.commands[1:4]]  # Python 3.13 writes "from" in lower case
    assert paths == [f"<{SENDER}>", f"<{THREE[0]}>", f"<{THREE[1]}>"]


def test_the_greeting_uses_the_senders_domain_without_a_lookup(message: EmailMessage) -> None:
    with mail_server() as receiver:
        send_mail(plain(receiver), message, THREE)
    assert receiver.commands[0] == "ehlo example.com"


def test_the_message_arrives_in_seven_bits_with_its_leading_dots_doubled(message: EmailMessage) -> None:
    with mail_server() as receiver:
        send_mail(plain(receiver), message, THREE)
    (received,) = receiver.messages
    assert received.isascii()
    assert b"\r\n..a line with a dot\r\n" in received
    assert message_from_bytes(received)["To"] == ", ".join(THREE)


def test_a_server_that_knows_only_helo_is_supported(message: EmailMessage) -> None:
    with mail_server({"EHLO": "502 5.5.1 unknown", "HELO": "250 hello"}) as receiver:
        send_mail(plain(receiver), message, THREE)
    assert len(receiver.messages) == 1


def test_a_recipient_on_another_host_is_accepted_with_251(message: EmailMessage) -> None:
    with mail_server({"RCPT": "251 will forward"}) as receiver:
        assert send_mail(plain(receiver), message, THREE).refusals == ()


@pytest.mark.parametrize(
    "goodbye", ["421 4.3.2 shutting down", "500 what?", "nonsense", HANG_UP, KEEP_SILENT, NEVER_END]
)
def test_the_reply_to_quit_changes_nothing_and_the_message_is_sent_once(goodbye: str, message: EmailMessage) -> None:
    with mail_server({"QUIT": goodbye}) as receiver:
        response = send_mail(replace(plain(receiver), limits=Limits(whole=2.0)), message, THREE)
    assert response.status == 250
    assert len(receiver.messages) == 1


def test_refused_and_delayed_recipients_are_reported_and_the_rest_is_sent(message: EmailMessage) -> None:
    with mail_server({"RCPT": ["250 ok", "550 5.1.1 no such user", "450 4.2.1 busy"]}) as receiver:
        response = send_mail(plain(receiver), message, THREE)
    assert response.refusals == (RecipientRefusal(False, 550, "5.1.1"), RecipientRefusal(True, 450, "4.2.1"))
    assert len(receiver.messages) == 1


@pytest.mark.parametrize(
    ("replies", "warning"),
    [
        (["250 ok", "250 ok", "250 ok"], None),
        (["250 ok", "550 5.1.1 no", "250 ok"], "1 of 3 recipients was refused: 550 (5.1.1)."),
        (["550 5.1.1 a", "250 ok", "550 5.1.1 b"], "2 of 3 recipients were refused: 550 (5.1.1)."),
        (["550 5.1.1 a", "552 full", "250 ok"], "2 of 3 recipients were refused: 550 (5.1.1), 552."),
        (
            ["250 ok", "451 4.7.1 later", "250 ok"],
            "1 of 3 recipients was put off and will not be tried again: 451 (4.7.1).",
        ),
        (
            ["450 4.2.1 busy", "550 no", "250 ok"],
            "1 of 3 recipients was refused: 550. "
            "1 of 3 recipients was put off and will not be tried again: 450 (4.2.1).",
        ),
    ],
)
def test_the_warning_counts_who_was_refused_and_who_was_put_off(
    replies: list[str], warning: str | None, message: EmailMessage
) -> None:
    with mail_server({"RCPT": replies}) as receiver:
        assert send_mail(plain(receiver), message, THREE).warning == warning


# Refused recipients


def test_when_all_recipients_are_refused_nothing_is_sent_and_all_are_counted(message: EmailMessage) -> None:
    with mail_server({"RCPT": "550 5.1.1 no such user"}) as receiver:
        failure = failure_of(lambda: send_mail(plain(receiver), message, THREE))
    assert (failure.facts.refused, failure.facts.recipients) == (3, 3)
    assert receiver.messages == []


# Broken connections, before and after the end of the data

BEFORE_THE_END = ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"]
WORDS = {
    "GREETING": "before it greeted Alertcheck",
    "EHLO": "after its greeting",
    "MAIL": "when Alertcheck named the sender",
    "RCPT": "when Alertcheck named the recipients",
    "DATA": "before it had the whole message",
}


@pytest.mark.parametrize("moment", BEFORE_THE_END)
def test_a_connection_closed_before_the_end_of_data_has_delivered_nothing(moment: str, message: EmailMessage) -> None:
    failure = failure_from({moment: HANG_UP}, message)
    assert (failure.code, failure.may_retry) == (Code.SMTP_INTERRUPTED, True)
    assert failure.message == f"127.0.0.1 closed the connection {WORDS[moment]}."


def test_a_connection_reset_before_the_end_of_data_has_delivered_nothing(message: EmailMessage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = MailServer("127.0.0.1", listener.getsockname()[1], SENDER, MailSecurity.NONE)
        Thread(target=reset_one, args=(listener,), daemon=True).start()
        failure = failure_of(lambda: send_mail(closed, message, THREE))
    assert failure.code is Code.SMTP_INTERRUPTED


def reset_one(listener: socket.socket) -> None:
    """Greet one client, and answer its command by a reset."""
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"220 mail.example\r\n")
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_connection_closed_after_the_end_of_data_leaves_the_outcome_open(message: EmailMessage) -> None:
    with mail_server({"END": HANG_UP}) as receiver:
        failure = failure_of(lambda: send_mail(plain(receiver), message, THREE))
    assert (failure.code, failure.may_retry) == (Code.CONNECTION_CLOSED, False)
    assert MEANINGS[failure.code].may_have_arrived
    assert len(receiver.messages) == 1


@pytest.mark.parametrize("reply", ["HTTP/1.1 400 Bad Request", "", "25", "999 what", "354 more", "250" + "x" * 9000])
def test_an_invalid_reply_after_the_end_of_data_leaves_the_outcome_open(reply: str, message: EmailMessage) -> None:
    assert failure_from({"END": reply}, message).code is Code.INVALID_RESPONSE


def test_a_reply_that_comes_before_the_message_does_not_accept_it(message: EmailMessage) -> None:
    with mail_server({"DATA": "354 go on\r\n250 2.0.0 queued", "END": "554 no"}) as receiver:
        failure = failure_of(lambda: send_mail(plain(receiver), message, THREE))
    assert (failure.code, failure.may_retry) == (Code.SMTP_INTERRUPTED, True)
    assert not any(b"first line" in received for received in receiver.messages)


def test_a_refusal_that_comes_before_the_message_is_reported_as_it_is(message: EmailMessage) -> None:
    failure = failure_from({"DATA": "354 go on\r\n552 5.3.4 too big"}, message)
    assert (failure.code, failure.facts.status) == (Code.MESSAGE_REFUSED, 552)


@pytest.mark.parametrize("reply", ["SSH-2.0-OpenSSH", "25", "999 what", "250" + "x" * 9000])
@pytest.mark.parametrize("moment", BEFORE_THE_END[1:])
def test_an_invalid_reply_before_the_end_of_data_has_delivered_nothing(
    moment: str, reply: str, message: EmailMessage
) -> None:
    failure = failure_from({moment: reply}, message)
    assert failure.code is Code.SMTP_INTERRUPTED
    assert "gave a reply that Alertcheck does not understand" in failure.message


@pytest.mark.parametrize("moment", BEFORE_THE_END)
def test_silence_before_the_end_of_data_has_delivered_nothing(moment: str, message: EmailMessage) -> None:
    with mail_server({moment: KEEP_SILENT}) as receiver:
        failure = failure_of(lambda: send_mail(replace(plain(receiver), limits=SHORT), message, THREE))
    assert (failure.code, failure.may_retry) == (Code.SMTP_INTERRUPTED, True)
    assert failure.message.startswith(f"127.0.0.1 was silent for too long {WORDS[moment]} (0.")


def test_silence_after_the_end_of_data_leaves_the_outcome_open(message: EmailMessage) -> None:
    with mail_server({"END": KEEP_SILENT}) as receiver:
        failure = failure_of(lambda: send_mail(replace(plain(receiver), limits=SHORT), message, THREE))
    assert (failure.code, failure.facts.seconds) == (Code.READ_TIMEOUT, SHORT.silence)


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "RCPT"])
def test_an_endless_reply_is_cut_by_the_deadline_and_has_delivered_nothing(moment: str, message: EmailMessage) -> None:
    with mail_server({moment: NEVER_END}) as receiver:
        failure = failure_of(lambda: send_mail(replace(plain(receiver), limits=SHORT), message, THREE))
    assert failure.code is Code.SMTP_INTERRUPTED
    assert failure.message == f"127.0.0.1 took too long {WORDS[moment]} (0.8 s)."


def test_an_endless_reply_after_the_end_of_data_leaves_the_outcome_open(message: EmailMessage) -> None:
    with mail_server({"END": NEVER_END}) as receiver:
        failure = failure_of(lambda: send_mail(replace(plain(receiver), limits=SHORT), message, THREE))
    assert (failure.code, failure.facts.seconds) == (Code.DEADLINE_EXCEEDED, SHORT.whole)


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("GREETING", Code.SMTP_PROTOCOL),
        ("EHLO", Code.SMTP_INTERRUPTED),
        ("RCPT", Code.SMTP_INTERRUPTED),
        ("DATA", Code.SMTP_INTERRUPTED),
    ],
)
def test_a_reply_of_too_many_lines_has_delivered_nothing(moment: str, code: Code, message: EmailMessage) -> None:
    assert failure_from({moment: TOO_MANY_LINES}, message).code is code


def test_a_reply_of_too_many_lines_after_the_end_of_data_leaves_the_outcome_open(message: EmailMessage) -> None:
    assert failure_from({"END": TOO_MANY_LINES}, message).code is Code.INVALID_RESPONSE


@pytest.mark.parametrize(("length", "code"), [(MAX_LINE, Code.SENDER_REFUSED), (MAX_LINE + 1, Code.SMTP_INTERRUPTED)])
def test_a_reply_line_has_a_length_limit(length: int, code: Code, message: EmailMessage) -> None:
    line = "550 ".ljust(length - len("\r\n"), "x")
    assert failure_from({"MAIL": line}, message).code is code


@pytest.mark.parametrize(("size", "code"), [(MAX_REPLY, Code.SENDER_REFUSED), (MAX_REPLY + 8, Code.SMTP_INTERRUPTED)])
def test_a_reply_has_a_total_size_limit(size: int, code: Code, message: EmailMessage) -> None:
    lines = "550-no\r\n" * (size // 8 - 1) + "550 no"
    assert failure_from({"MAIL": lines}, message).code is code


def test_the_size_limit_applies_to_each_reply(message: EmailMessage) -> None:
    long = "250-ok\r\n" * (MAX_REPLY // 8 - 1) + "250 ok"
    with mail_server({"EHLO": long, "MAIL": long, "RCPT": long}) as receiver:
        assert send_mail(plain(receiver), message, THREE).status == 250


def test_an_acceptance_cut_by_the_deadline_is_not_trusted(message: EmailMessage) -> None:
    with mail_server({"END": STOP_MIDWAY}) as receiver:
        server = replace(plain(receiver), limits=Limits(whole=0.4))
        failure = failure_of(lambda: send_mail(server, message, THREE))
    assert failure.code is Code.DEADLINE_EXCEEDED


def test_a_closed_port_is_a_refused_connection(message: EmailMessage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = MailServer("127.0.0.1", listener.getsockname()[1], SENDER, MailSecurity.NONE)
    assert failure_of(lambda: send_mail(closed, message, THREE)).code is Code.CONNECT_REFUSED


# Encryption


def test_with_starttls_everything_after_it_is_encrypted(
    message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    script = {"EHLO": ["250-mail.example\r\n250 STARTTLS", "250 mail.example"]}
    with mail_server(script, server_context(authority)) as receiver:
        server = replace(plain(receiver), security=MailSecurity.STARTTLS, ca_file=ca_file)
        assert send_mail(server, message, THREE).status == 250
    assert receiver.verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]


def test_with_tls_the_greeting_is_already_encrypted(message: EmailMessage, authority: trustme.CA, ca_file: str) -> None:
    with mail_server(tls=server_context(authority), at_once=True) as receiver:
        server = replace(plain(receiver), security=MailSecurity.TLS, ca_file=ca_file)
        assert send_mail(server, message, THREE).status == 250


def test_without_the_starttls_offer_nothing_is_sent_unencrypted(message: EmailMessage) -> None:
    with mail_server() as receiver:
        server = replace(plain(receiver), security=MailSecurity.STARTTLS)
        failure = failure_of(lambda: send_mail(server, message, THREE))
    assert failure.code is Code.SMTP_TLS_UNAVAILABLE
    assert receiver.verbs == ["EHLO", "QUIT"]


@pytest.mark.parametrize(
    ("issuer", "name", "code"),
    [
        (trustme.CA(), "127.0.0.1", Code.TLS_INCOMPLETE_CHAIN),
        (None, "mail.example.com", Code.TLS_HOSTNAME_MISMATCH),
    ],
    ids=["unknown authority", "another name"],
)
def test_an_untrusted_certificate_ends_the_connection(
    issuer: trustme.CA | None, name: str, code: Code, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    with mail_server(
        {"EHLO": "250-mail.example\r\n250 STARTTLS"}, server_context(issuer or authority, name)
    ) as receiver:
        server = replace(plain(receiver), security=MailSecurity.STARTTLS, ca_file=ca_file)
        assert failure_of(lambda: send_mail(server, message, THREE)).code is code
    assert receiver.verbs == ["EHLO", "STARTTLS"] * 2  # the second time only to read the certificates


def test_replies_injected_before_the_encryption_are_discarded(
    message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    script: Script = {
        "EHLO": ["250-mail.example\r\n250 STARTTLS", "550 the real answer"],
        "STARTTLS": "220 go ahead\r\n250 slipped in",
        "HELO": "550 the real answer",
    }
    with mail_server(script, server_context(authority)) as receiver:
        server = replace(plain(receiver), security=MailSecurity.STARTTLS, ca_file=ca_file)
        failure = failure_of(lambda: send_mail(server, message, THREE))
    assert (failure.code, failure.facts.status) == (Code.SMTP_HOST_REFUSED, 550)


# Secrets


def test_a_failure_contains_neither_the_servers_text_nor_the_password(
    message: EmailMessage, authority: trustme.CA, ca_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script: Script = {"EHLO": offering("PLAIN LOGIN"), "AUTH": f"535 5.7.8 not {PASSWORD}"}
    with mail_server(script, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    text = f"{failure!r} {failure} {failure.message} {failure.facts} {failure.__cause__} {caplog.text}"
    assert PASSWORD not in text
    assert failure.__suppress_context__


# Addresses


@pytest.mark.parametrize("recipients", [(), ("ann@example.com\r\nDATA",), ("ann@example.com", "bob")])
def test_a_wrong_recipient_is_refused_before_a_connection_is_opened(
    recipients: tuple[str, ...], message: EmailMessage
) -> None:
    with mail_server() as receiver:
        failure = failure_of(lambda: send_mail(plain(receiver), message, recipients))
    assert failure.code is Code.RECIPIENT_INVALID
    assert receiver.commands == []


# The administrator's setting


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://relay", MailServer("relay", 25, SENDER, MailSecurity.NONE)),
        ("smtp://smtp_service:25", MailServer("smtp_service", 25, SENDER, MailSecurity.NONE)),
        ("smtp+starttls://Mail_1.Lan", MailServer("mail_1.lan", 587, SENDER, MailSecurity.STARTTLS)),
        ("smtp://127.0.0.1:2525", MailServer("127.0.0.1", 2525, SENDER, MailSecurity.NONE)),
        ("smtp://[::1]:2525/", MailServer("::1", 2525, SENDER, MailSecurity.NONE)),
        ("smtp+starttls://Mail.Example.com", MailServer("mail.example.com", 587, SENDER, MailSecurity.STARTTLS)),
        (
            "smtps://ann%40example.com:p%2Fw%3A@mail.example.com",
            MailServer("mail.example.com", 465, SENDER, MailSecurity.TLS, "ann@example.com", "p/w:"),
        ),
    ],
)
def test_a_mail_url_sets_host_port_security_and_sign_in(url: str, server: MailServer) -> None:
    assert parse_mail_url(url, SENDER) == server


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "begin with smtp://"),
        ("mail.example.com:25", "begin with smtp://"),
        ("http://mail.example.com", "begin with smtp://"),
        ("smtp://", "valid host"),
        ("smtp://mail.example.com:0x19", "a port that is not a number from 1 to 65535"),
        ("smtp://mail.example.com:99999", "a port that is not a number from 1 to 65535"),
        ("smtp://mail server", "contains a blank"),
        ("smtp://0x7f.1", "valid host"),
        ("smtp://mail_server/..", "end after"),
        ("smtps://mail.example.com/inbox", "end after"),
        ("smtps://ann@mail.example.com", "both a user name and a password"),
        ("smtps://:pw@mail.example.com", "both a user name and a password"),
        ("smtps://ann:pässwort@mail.example.com", "ASCII"),
        ("smtp://ann:pw@mail.example.com", "only over an encrypted connection"),
    ],
)
def test_an_unusable_mail_url_is_refused_with_a_reason(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_mail_url(url, SENDER)


def test_a_refused_mail_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="only over an encrypted connection") as caught:
        parse_mail_url(f"smtp://ann:{PASSWORD}@mail.example.com", SENDER)
    assert PASSWORD not in str(caught.value)


def test_the_password_is_not_in_the_servers_repr() -> None:
    assert PASSWORD not in repr(parse_mail_url(f"smtps://ann:{PASSWORD}@mail.example.com", SENDER))
