"""The mail client, against a scripted mail server."""

import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme

from tests.scripted_mail_server import (
    HANG_UP,
    KEEP_SILENT,
    NEVER_END,
    STOP_MIDWAY,
    Script,
    ScriptedMailServer,
    mail_server,
)
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.smtp.client import (
    MailResponse,
    MailSecurity,
    MailServer,
    is_mail_address,
    parse_mail_url,
    send_mail,
)
from webapp.outbound.smtp.mail_server import check_sender
from webapp.outbound.smtp.reply_reader import MAX_LINE, MAX_REPLY
from webapp.outbound.transport.limits import Limits

SENDER = "alerts@example.com"
THREE = ("ann@example.com", "bob@example.com", "cleo@example.com")
SHORT = Limits(whole=0.8, connect=0.5, silence=0.3)
PASSWORD = "Sesame-4711"
TOO_MANY_LINES = "250-and another thing\r\n" * 100_000 + "250 the end"


@pytest.fixture
def message() -> EmailMessage:
    composed = EmailMessage()
    composed["From"], composed["To"], composed["Subject"] = SENDER, ", ".join(THREE), "[TEST] Grüße"
    composed.set_content("first line\n.a line with a dot\nlast line\n")
    return composed


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(issuer: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(name).configure_cert(context)
    return context


def plain(receiver: ScriptedMailServer) -> MailServer:
    return MailServer("127.0.0.1", receiver.port, SENDER, MailSecurity.NONE)


def signing_in(receiver: ScriptedMailServer, ca_file: str) -> MailServer:
    return MailServer("127.0.0.1", receiver.port, SENDER, MailSecurity.STARTTLS, "alertcheck", PASSWORD, ca_file)


def failure_of(send: Callable[[], MailResponse]) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        send()
    return caught.value


def failure_from(script: Script, message: EmailMessage, recipients: tuple[str, ...] = THREE) -> DeliveryFailed:
    with mail_server(script) as receiver:
        return failure_of(lambda: send_mail(plain(receiver), message, recipients))


# Accepted mail


def test_an_accepted_message_returns_the_reply_code_after_the_data(message: EmailMessage) -> None:
    with mail_server() as receiver:
        response = send_mail(plain(receiver), message, THREE)
    assert (response.status, response.refused, response.recipients) == (250, 0, 3)
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
        assert send_mail(plain(receiver), message, THREE).refused == 0


@pytest.mark.parametrize(
    "goodbye", ["421 4.3.2 shutting down", "500 what?", "nonsense", HANG_UP, KEEP_SILENT, NEVER_END]
)
def test_the_reply_to_quit_changes_nothing_and_the_message_is_sent_once(goodbye: str, message: EmailMessage) -> None:
    with mail_server({"QUIT": goodbye}) as receiver:
        response = send_mail(replace(plain(receiver), limits=Limits(whole=2.0)), message, THREE)
    assert response.status == 250
    assert len(receiver.messages) == 1


def test_some_refused_recipients_are_counted_and_the_rest_is_sent(message: EmailMessage) -> None:
    with mail_server({"RCPT": ["250 ok", "550 5.1.1 no such user", "450 4.2.1 busy"]}) as receiver:
        response = send_mail(plain(receiver), message, THREE)
    assert (response.refused, response.recipients) == (2, 3)
    assert len(receiver.messages) == 1


# Refusals, by step and reply code


@pytest.mark.parametrize(
    ("script", "code", "status", "token"),
    [
        ({"GREETING": "421 4.3.2 try later"}, Code.SMTP_TEMPORARY, 421, "4.3.2"),
        ({"GREETING": "554 5.3.2 no mail here"}, Code.SMTP_PROTOCOL, 554, "5.3.2"),
        ({"EHLO": "451 4.3.0 later"}, Code.SMTP_TEMPORARY, 451, "4.3.0"),
        ({"EHLO": "550 no", "HELO": "550 no"}, Code.SMTP_PROTOCOL, 550, None),
        ({"MAIL": "451 4.7.1 greylisted"}, Code.SMTP_TEMPORARY, 451, "4.7.1"),
        ({"MAIL": "553 5.7.1 not your address"}, Code.SENDER_REFUSED, 553, "5.7.1"),
        ({"RCPT": "550 5.1.1 no such user"}, Code.RECIPIENTS_REFUSED, 550, "5.1.1"),
        ({"RCPT": "450 4.2.0 greylisted"}, Code.SMTP_TEMPORARY, 450, "4.2.0"),
        ({"RCPT": ["450 4.2.0 later", "550 5.1.1 no", "450 4.2.0 later"]}, Code.RECIPIENTS_REFUSED, 550, "5.1.1"),
        ({"RCPT": ["250 ok", "421 4.3.2 shutting down"]}, Code.SMTP_TEMPORARY, 421, "4.3.2"),
        ({"DATA": "451 4.3.0 disk full"}, Code.SMTP_TEMPORARY, 451, "4.3.0"),
        ({"DATA": "554 5.5.1 no"}, Code.MESSAGE_REFUSED, 554, "5.5.1"),
        ({"END": "452 4.3.1 disk full"}, Code.SMTP_TEMPORARY, 452, "4.3.1"),
        ({"END": "554 5.7.1 looks like spam"}, Code.MESSAGE_REFUSED, 554, "5.7.1"),
    ],
)
def test_a_refusal_is_classified_by_step_and_reply_code(
    script: Script, code: Code, status: int, token: str | None, message: EmailMessage
) -> None:
    failure = failure_from(script, message)
    assert (failure.code, failure.facts.status, failure.facts.token) == (code, status, token)
    assert failure.facts.host == "127.0.0.1"


def test_when_all_recipients_are_refused_nothing_is_sent_and_all_are_counted(message: EmailMessage) -> None:
    with mail_server({"RCPT": "550 5.1.1 no such user"}) as receiver:
        failure = failure_of(lambda: send_mail(plain(receiver), message, THREE))
    assert (failure.facts.refused, failure.facts.recipients) == (3, 3)
    assert receiver.messages == []


@pytest.mark.parametrize("text", ["5.1.1000 no", "5.1.1.secret", "55.1.1 no", "x5.1.1", "2.1", "secret", ""])
def test_only_a_well_formed_enhanced_code_is_kept(text: str, message: EmailMessage) -> None:
    assert failure_from({"MAIL": f"550 {text}"}, message).facts.token is None


# Broken connections and servers that do not speak SMTP


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_closed_before_the_end_of_data_has_sent_nothing(moment: str, message: EmailMessage) -> None:
    assert failure_from({moment: HANG_UP}, message).code is Code.SMTP_PROTOCOL


def test_a_connection_closed_after_the_end_of_data_leaves_the_outcome_open(message: EmailMessage) -> None:
    with mail_server({"END": HANG_UP}) as receiver:
        failure = failure_of(lambda: send_mail(plain(receiver), message, THREE))
    assert failure.code is Code.CONNECTION_CLOSED
    assert len(receiver.messages) == 1


@pytest.mark.parametrize("reply", ["HTTP/1.1 400 Bad Request", "", "25", "999 what", "354 more", "250" + "x" * 9000])
def test_an_invalid_reply_after_the_end_of_data_leaves_the_outcome_open(reply: str, message: EmailMessage) -> None:
    assert failure_from({"END": reply}, message).code is Code.INVALID_RESPONSE


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
def test_an_invalid_reply_before_the_end_of_data_is_a_protocol_error(moment: str, message: EmailMessage) -> None:
    assert failure_from({moment: "SSH-2.0-OpenSSH"}, message).code is Code.SMTP_PROTOCOL


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "END"])
def test_a_server_that_falls_silent_causes_a_timeout(moment: str, message: EmailMessage) -> None:
    with mail_server({moment: KEEP_SILENT}) as receiver:
        failure = failure_of(lambda: send_mail(replace(plain(receiver), limits=SHORT), message, THREE))
    assert (failure.code, failure.facts.seconds) == (Code.READ_TIMEOUT, SHORT.silence)


@pytest.mark.parametrize("moment", ["EHLO", "RCPT", "END"])
def test_an_endless_reply_is_cut_by_the_deadline_of_the_whole_send(moment: str, message: EmailMessage) -> None:
    with mail_server({moment: NEVER_END}) as receiver:
        failure = failure_of(lambda: send_mail(replace(plain(receiver), limits=SHORT), message, THREE))
    assert (failure.code, failure.facts.seconds) == (Code.DEADLINE_EXCEEDED, SHORT.whole)


@pytest.mark.parametrize("moment", ["GREETING", "EHLO", "RCPT", "DATA"])
def test_a_reply_of_too_many_lines_is_a_protocol_error(moment: str, message: EmailMessage) -> None:
    assert failure_from({moment: TOO_MANY_LINES}, message).code is Code.SMTP_PROTOCOL


def test_a_reply_of_too_many_lines_after_the_end_of_data_leaves_the_outcome_open(message: EmailMessage) -> None:
    assert failure_from({"END": TOO_MANY_LINES}, message).code is Code.INVALID_RESPONSE


@pytest.mark.parametrize(("length", "code"), [(MAX_LINE, Code.SENDER_REFUSED), (MAX_LINE + 1, Code.SMTP_PROTOCOL)])
def test_a_reply_line_has_a_length_limit(length: int, code: Code, message: EmailMessage) -> None:
    line = "550 ".ljust(length - len("\r\n"), "x")
    assert failure_from({"MAIL": line}, message).code is code


@pytest.mark.parametrize(("size", "code"), [(MAX_REPLY, Code.SENDER_REFUSED), (MAX_REPLY + 8, Code.SMTP_PROTOCOL)])
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
    ("reply", "code"),
    [("454 4.7.0 not now", Code.SMTP_TEMPORARY), ("501 5.5.4 no", Code.SMTP_TLS_UNAVAILABLE)],
)
def test_a_refused_starttls_is_classified_by_its_reply_code(reply: str, code: Code, message: EmailMessage) -> None:
    with mail_server({"EHLO": "250-mail.example\r\n250 STARTTLS", "STARTTLS": reply}) as receiver:
        server = replace(plain(receiver), security=MailSecurity.STARTTLS)
        assert failure_of(lambda: send_mail(server, message, THREE)).code is code


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
    assert (failure.code, failure.facts.status) == (Code.SMTP_PROTOCOL, 550)


# Sign-in

STARTTLS_THEN = "250-mail.example\r\n250 STARTTLS"


@pytest.mark.parametrize("offered", ["AUTH PLAIN LOGIN", "AUTH CRAM-MD5 plain", "AUTH=PLAIN"])
def test_the_user_name_and_password_are_sent_after_the_encryption(
    offered: str, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    script: Script = {"EHLO": [STARTTLS_THEN, f"250-mail.example\r\n250 {offered}"]}
    with mail_server(script, server_context(authority)) as receiver:
        assert send_mail(signing_in(receiver, ca_file), message, THREE).status == 250
    assert receiver.verbs[:5] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL"]


@pytest.mark.parametrize("offered", ["250 mail.example", "250-mail.example\r\n250 AUTH GSSAPI"])
def test_a_missing_sign_in_offer_is_distinguished_from_missing_encryption(
    offered: str, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    with mail_server({"EHLO": [STARTTLS_THEN, offered]}, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    assert failure.code is Code.SMTP_AUTH_UNAVAILABLE


@pytest.mark.parametrize(
    ("reply", "code", "status", "token"),
    [
        ("535 5.7.8 wrong password", Code.SMTP_AUTH_FAILED, 535, "5.7.8"),
        ("534 5.7.9 use an app password", Code.SMTP_AUTH_FAILED, 534, "5.7.9"),
        ("454 4.7.0 directory is down", Code.SMTP_TEMPORARY, 454, "4.7.0"),
        ("334 !not base64!", Code.SMTP_PROTOCOL, None, None),
    ],
)
def test_a_failed_sign_in_is_classified_by_its_reply_code(
    reply: str,
    code: Code,
    status: int | None,
    token: str | None,
    message: EmailMessage,
    authority: trustme.CA,
    ca_file: str,
) -> None:
    script: Script = {"EHLO": [STARTTLS_THEN, "250-mail.example\r\n250 AUTH PLAIN"], "AUTH": reply}
    with mail_server(script, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    assert (failure.code, failure.facts.status, failure.facts.token) == (code, status, token)


def test_a_failure_contains_neither_the_servers_text_nor_the_password(
    message: EmailMessage, authority: trustme.CA, ca_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script: Script = {
        "EHLO": [STARTTLS_THEN, "250-mail.example\r\n250 AUTH PLAIN"],
        "AUTH": f"535 5.7.8 not {PASSWORD}",
    }
    with mail_server(script, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    text = f"{failure!r} {failure} {failure.message} {failure.facts} {failure.__cause__} {caplog.text}"
    assert PASSWORD not in text
    assert failure.__suppress_context__


# Addresses


@pytest.mark.parametrize("address", ["ann@example.com", "a.b+c@mail.example.co.uk", "o'neil_1@xn--bcher-kva.example"])
def test_a_plain_address_is_accepted(address: str) -> None:
    assert is_mail_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@localhost",
        "ann@[127.0.0.1]",
        "ann@127.0.0.1",
        "ann@example..com",
        "ann@-example.com",
        ".ann@example.com",
        "ann.@example.com",
        "ann bob@example.com",
        '"ann"@example.com',
        "Ann <ann@example.com>",
        "ann@example.com\r\nRCPT TO:<eve@example.com>",
        "ann@example.com\n",
        "änn@example.com",
        "ann@exämple.com",
        "ann@example.com.",
        "=?utf-8?q?x=0D=0ABcc=3A?=@example.com",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 64}.com",
        f"ann@{'a.' * 125}com",
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    assert not is_mail_address(address)


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
        ("", "valid host"),
        ("mail.example.com:25", "valid host"),
        ("http://mail.example.com", "begin with smtp://"),
        ("smtp://", "valid host"),
        ("smtp://mail.example.com:0x19", "valid host or port"),
        ("smtp://mail.example.com:99999", "valid host or port"),
        ("smtp://mail server", "valid host"),
        ("smtp://0x7f.1", "valid host"),
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


@pytest.mark.parametrize("sender", ["", "alerts", "Alerts <alerts@example.com>"])
def test_an_invalid_sender_address_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="has to be a plain email address"):
        check_sender(sender)


def test_a_refused_mail_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="only over an encrypted connection") as caught:
        parse_mail_url(f"smtp://ann:{PASSWORD}@mail.example.com", SENDER)
    assert PASSWORD not in str(caught.value)


def test_the_password_is_not_in_the_servers_repr() -> None:
    assert PASSWORD not in repr(parse_mail_url(f"smtps://ann:{PASSWORD}@mail.example.com", SENDER))
