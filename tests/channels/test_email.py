"""Email: the mail that mailboxes get, and the meaning of the mail server's replies."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.channels.conftest import LINK
from tests.scripted_mail_server import HANG_UP, KEEP_SILENT, Script, mail_server
from webapp.channels.contract import Accepted
from webapp.channels.email import CHANNEL
from webapp.channels.message import Message
from webapp.deliveries.badge import next_step
from webapp.failures import Code, DeliveryFailed, Facts, describe
from webapp.failures.meanings.mail import MAIL
from webapp.outbound import MailServer, OutboundClient
from webapp.outbound.smtp.client import MailSecurity
from webapp.outbound.transport.deadline import Limits

SENDER = "alerts@example.com"
ON, OFF = {"omit_auto_submitted": "yes"}, {"omit_auto_submitted": ""}
THREE = {"recipients": "ann@example.com, bob@example.com\ncleo@example.com"}


class Mailbox:
    """Accepts and stores every mail."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - the name of aiosmtpd's hook
        self.envelopes.append(envelope)
        return "250 2.0.0 kept"

    def open(self) -> EmailMessage:
        """Return the only mail, parsed."""
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def part(self, kind: str) -> str:
        """Return the mail's plain or HTML text."""
        body = self.open().get_body((kind,))
        assert body is not None
        return str(body.get_content())


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def outbound(mailbox: Mailbox) -> Iterator[OutboundClient]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield through(port)
    controller.stop()


def through(port: int) -> OutboundClient:
    limits = Limits(whole=2.0, connect=1.0, silence=0.3)
    return OutboundClient(mail=MailServer("127.0.0.1", port, SENDER, MailSecurity.NONE, limits=limits))


def send_to_script(script: Script, message: Message) -> Accepted:
    with mail_server(script) as receiver:
        return CHANNEL.send(THREE, message, through(receiver.port))


# Accepted mail


def test_a_mail_that_the_server_accepts_is_accepted_for_all_recipients(
    message: Message, outbound: OutboundClient
) -> None:
    assert CHANNEL.send(THREE, message, outbound) == Accepted(250, None)


def test_a_mail_not_accepted_for_some_recipients_is_accepted_with_a_warning(message: Message) -> None:
    replies = ["550 5.1.1 no", "451 4.7.1 later", "250 ok"]
    warning = (
        "1 of 3 recipients was refused: 550 (5.1.1). "
        "1 of 3 recipients was put off and will not be tried again: 451 (4.7.1)."
    )
    assert send_to_script({"RCPT": replies}, message) == Accepted(250, warning)


def test_a_server_that_closes_after_its_acceptance_has_accepted_the_mail(message: Message) -> None:
    assert send_to_script({"QUIT": "421 4.3.2 shutting down"}, message) == Accepted(250)


# Refused mail


@pytest.mark.parametrize(
    ("script", "code", "status", "token"),
    [
        ({"GREETING": "421 4.3.2 later"}, Code.SMTP_TEMPORARY, 421, "4.3.2"),
        ({"MAIL": "550 5.7.1 not from you"}, Code.SENDER_REFUSED, 550, "5.7.1"),
        ({"RCPT": "450 4.7.1 greylisted"}, Code.SMTP_TEMPORARY, 450, "4.7.1"),
        ({"RCPT": "550 5.1.1 no such user"}, Code.RECIPIENTS_REFUSED, 550, "5.1.1"),
        ({"END": "554 5.7.1 spam"}, Code.MESSAGE_REFUSED, 554, "5.7.1"),
        ({"END": HANG_UP}, Code.CONNECTION_CLOSED, None, None),
        ({"END": KEEP_SILENT}, Code.READ_TIMEOUT, None, None),
        ({"GREETING": "SSH-2.0-OpenSSH"}, Code.SMTP_PROTOCOL, None, "SSH"),
        ({"DATA": HANG_UP}, Code.SMTP_INTERRUPTED, None, None),
    ],
)
def test_a_refused_mail_is_classified_by_step_and_reply_code(
    script: Script, code: Code, status: int | None, token: str | None, message: Message
) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        send_to_script(script, message)
    assert (caught.value.code, caught.value.facts.status, caught.value.facts.token) == (code, status, token)


def test_without_a_mail_server_the_next_step_names_the_administrator(message: Message) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        CHANNEL.send(THREE, message, OutboundClient())
    assert caught.value.code is Code.CONFIG_INCOMPLETE
    assert "your Alertcheck administrator" in CHANNEL.hints[Code.CONFIG_INCOMPLETE]


@pytest.mark.parametrize(
    "code", [code for code in Code if code.name.startswith("TLS") or code is Code.CLIENT_CERTIFICATE_REQUIRED]
)
def test_the_encryption_of_the_mail_server_is_left_to_the_administrator(code: Code) -> None:
    hint = CHANNEL.hints[code]
    assert hint.startswith("Ask your Alertcheck administrator ")
    assert "mail server" in hint or "mail settings" in hint


def test_without_recipients_the_settings_are_incomplete(message: Message, outbound: OutboundClient) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        CHANNEL.send({"recipients": " "}, message, outbound)
    assert caught.value.code is Code.CONFIG_INCOMPLETE


def test_an_invalid_stored_recipient_gets_no_mail(message: Message, outbound: OutboundClient, mailbox: Mailbox) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        CHANNEL.send({"recipients": "ann@example.com, bob"}, message, outbound)
    assert caught.value.code is Code.RECIPIENT_INVALID
    assert mailbox.envelopes == []


# The content of the mail


def test_the_envelope_and_the_headers_name_the_same_recipients(
    message: Message, outbound: OutboundClient, mailbox: Mailbox
) -> None:
    CHANNEL.send(THREE, message, outbound)
    (envelope,) = mailbox.envelopes
    assert envelope.mail_from == mailbox.open()["From"] == SENDER
    assert (
        envelope.rcpt_tos
        == mailbox.open()["To"].split(", ")
        == ["ann@example.com", "bob@example.com", "cleo@example.com"]
    )


def test_the_name_of_the_sender_is_in_the_header_and_not_in_the_envelope(
    message: Message, outbound: OutboundClient, mailbox: Mailbox
) -> None:
    assert outbound.mail is not None
    named = replace(outbound, mail=replace(outbound.mail, sender_name="Störungsdienst"))
    CHANNEL.send(THREE, message, named)
    (envelope,) = mailbox.envelopes
    assert (envelope.mail_from, mailbox.open()["From"]) == (SENDER, f"Störungsdienst <{SENDER}>")
    assert CHANNEL.preview(THREE, message, named).headers["From"] == f"Störungsdienst <{SENDER}>"


def test_the_headers_mark_an_automatic_test_message(
    message: Message, outbound: OutboundClient, mailbox: Mailbox
) -> None:
    CHANNEL.send(THREE, message, outbound)
    assert mailbox.open()["Subject"] == "[TEST] K7QM-4T: test alert from Acme GmbH"
    assert mailbox.open()["Auto-Submitted"] == "auto-generated"
    assert mailbox.open()["Message-ID"] == "<msg_2f9c@example.com>"
    assert mailbox.open()["Date"].datetime == message.requested_at


# What mailboxes leave out of a subject when they compare it with others (RFC 5256, section 2.1): Re: and its kind, and
# anything in brackets, at the beginning; (fwd) at the end.
LEFT_OUT = re.compile(r"^(\s|\[[^\[\]]*\]|(re|fwd?)\s*(\[[^\[\]]*\])?:)+|(\s|\(fwd\))+$", re.IGNORECASE)


@pytest.mark.parametrize("alert", [None, "[Harbor] Disk full", "Re: [Disk]"])
@pytest.mark.parametrize("workspace", ["Acme GmbH", "[Acme]", "", "x" * 200])
def test_two_mails_to_one_mailbox_have_different_subjects_however_it_compares_them(
    message: Message, alert: str | None, workspace: str
) -> None:
    first = replace(message, alert=alert, workspace=workspace)
    second = replace(first, reference="23456X")

    assert first.reference in LEFT_OUT.sub("", first.subject)
    assert LEFT_OUT.sub("", first.subject) != LEFT_OUT.sub("", second.subject)


@pytest.mark.parametrize("alert", [None, "Disk full"])
@pytest.mark.parametrize(("setting", "header"), [({}, "auto-generated"), (OFF, "auto-generated"), (ON, None)])
def test_tests_and_alerts_are_marked_as_automatic_unless_the_destination_leaves_it_out(
    message: Message,
    outbound: OutboundClient,
    mailbox: Mailbox,
    alert: str | None,
    setting: dict[str, str],
    header: str | None,
) -> None:
    message = replace(message, alert=alert)

    CHANNEL.send(THREE | setting, message, outbound)

    assert mailbox.open()["Auto-Submitted"] == header
    assert CHANNEL.preview(THREE | setting, message, outbound).headers.get("Auto-Submitted") == header


@pytest.mark.parametrize("name", ["Precedence", "X-Auto-Response-Suppress", "List-Id", "Return-Path"])
def test_no_other_header_makes_a_mail_automatic_or_bulk(
    message: Message, outbound: OutboundClient, mailbox: Mailbox, name: str
) -> None:
    CHANNEL.send(THREE | ON, message, outbound)

    assert mailbox.open()[name] is None


@pytest.mark.parametrize("name", ["Zendesk", "Jira Service Management", "GLPI", "Jitbit"])
def test_the_guide_and_the_hint_after_sent_name_the_help_desks_that_set_automatic_mail_aside(name: str) -> None:
    assert name in CHANNEL.after_accepted
    assert [step for step in CHANNEL.guide if name in step and "Auto-Submitted" in step]


def test_a_phone_shows_the_reference_of_a_test_and_the_words_of_an_alert_first(message: Message) -> None:
    long = replace(message, workspace="x" * 200)

    assert long.reference in long.subject[:30]
    assert replace(long, alert="Disk full", reference="alert 7").subject.startswith("Disk full (x")


def test_a_mail_replies_to_none(message: Message, outbound: OutboundClient, mailbox: Mailbox) -> None:
    CHANNEL.send(THREE, message, outbound)

    assert [mailbox.open()[name] for name in ("References", "In-Reply-To")] == [None, None]


def test_the_preview_shows_the_headers_of_the_mail(
    message: Message, outbound: OutboundClient, mailbox: Mailbox
) -> None:
    preview = CHANNEL.preview(THREE, message, outbound)
    CHANNEL.send(THREE, message, outbound)

    assert dict(preview.headers) == {name: mailbox.open()[name] for name in preview.headers}
    assert {"Subject", "Message-ID", "Auto-Submitted"} <= preview.headers.keys()


def test_the_plain_text_names_the_test(
    message: Message, outbound: OutboundClient, mailbox: Mailbox, facts: dict[str, str]
) -> None:
    CHANNEL.send(THREE, message, outbound)
    assert mailbox.part("plain").splitlines()[-5:] == [f"{label}: {value}" for label, value in facts.items()]
    assert mailbox.part("plain").startswith("[TEST]")


def test_both_texts_end_with_the_link(message_with_link: Message, outbound: OutboundClient, mailbox: Mailbox) -> None:
    CHANNEL.send(THREE, message_with_link, outbound)
    assert mailbox.part("plain").splitlines()[-1] == f"I see it: {LINK}"
    assert f'<p><a href="{LINK}">I see it</a></p>' in mailbox.part("html")


def test_the_html_holds_the_same_facts_with_every_name_escaped(
    message: Message, outbound: OutboundClient, mailbox: Mailbox
) -> None:
    CHANNEL.send(THREE, replace(message, workspace="<b>Acme</b> & Söhne"), outbound)
    assert "<td>&lt;b&gt;Acme&lt;/b&gt; &amp; Söhne</td>" in mailbox.part("html")
    assert "<td>K7QM-4T</td>" in mailbox.part("html")


def mail_with_name(name: str, message: Message) -> EmailMessage:
    """Return the parsed mail of a message whose workspace, destination and presser all have this name."""
    renamed = replace(message, workspace=name, destination=name, requested_by=name)
    with mail_server() as receiver:
        CHANNEL.send(THREE, renamed, through(receiver.port))
    (received,) = receiver.messages
    parsed = message_from_bytes(received, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


HEADERS = [
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]

ODD_NAMES = [
    "=?utf-8?q?x=0D=0ABcc:_e@e.com?=",
    "=?utf-8?q?x=0D=0A=0D=0Aa_body?=",
    "=?utf-8?b?eA0KQmNjOiBlQGUuY29t?=",
    "=?utf-8?q?a?= =?utf-8?q?b?=",
    "=?=?=?= =?utf-8?q??= ?=",
    "=?utf-7?q?+AA0ACg-?=",
    "Acme\r\nBcc: eve@example.com",
    "Acme\nX: y",
    "Acme\u2028\x00\x85GmbH",
    "Büro \N{FIRE}" * 99,
    "x" * 999,
    "\ud800, <b>;",
    "",
]
PIECES = [
    "=?utf-8?q?",
    "=?utf-8?b?",
    "=0D=0A",
    "DQo=",
    "Bcc:_e@e.com",
    "?=",
    "=?",
    " ",
    "\r\n",
    "é",
    "\N{FIRE}",
    "x" * 70,
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_used_literally_and_adds_no_header(name: str, message: Message) -> None:
    mail = mail_with_name(name, message)
    assert mail.keys() == HEADERS
    assert mail["Subject"] == replace(message, workspace=name).subject
    assert mail["To"] == "ann@example.com, bob@example.com, cleo@example.com"


@pytest.mark.slow
@given(name=st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=12).map("".join))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_arrives_as_the_subject_and_nothing_else(name: str, message: Message) -> None:
    mail = mail_with_name(name, message)
    assert mail.keys() == HEADERS
    assert mail["Subject"] == replace(message, workspace=name).subject
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_every_header_line_is_short_ascii_and_separate(message: Message) -> None:
    name = "=?utf-8?q?x=0D=0A?= Büro " * 9
    with mail_server() as receiver:
        CHANNEL.send(THREE, replace(message, workspace=name), through(receiver.port))
    head = receiver.messages[0].partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78
    assert head.replace(b"\r\n", b"").isascii()
    assert b"\r" not in head.replace(b"\r\n", b"")


# The recipients


def test_a_mailbox_gets_one_copy_whatever_the_case_of_its_address(
    outbound: OutboundClient, mailbox: Mailbox, message: Message
) -> None:
    CHANNEL.send(
        {"recipients": "Ann@example.com, ann@EXAMPLE.com, ANN@example.com, bob@example.com"}, message, outbound
    )

    assert mailbox.envelopes[0].rcpt_tos == ["Ann@example.com", "bob@example.com"]


def test_each_recipient_has_a_limit_of_its_own() -> None:
    targets = CHANNEL.targets(THREE, OutboundClient())

    assert [target.name for target in targets] == ["ann@example.com", "bob@example.com", "cleo@example.com"]


@pytest.mark.parametrize(
    ("stored", "envelope"),
    [
        ("A@Example.com, a@example.com, bob@example.com", ["A@example.com", "bob@example.com"]),
        ("ann@example.com\nbob@example.com", ["ann@example.com", "bob@example.com"]),
    ],
)
def test_recipients_stored_by_an_older_version_get_one_mail_each(
    stored: str, envelope: list[str], message: Message, outbound: OutboundClient, mailbox: Mailbox
) -> None:
    CHANNEL.send({"recipients": stored}, message, outbound)
    assert [sent.rcpt_tos for sent in mailbox.envelopes] == [envelope]


# The next steps

# The codes that a mail server's failure can end with, beside those of a destination and of Alertcheck itself.
OF_THE_MAIL_SERVER = [
    code
    for code in Code
    if code in MAIL
    or code.startswith(("dns_", "connect_", "tls_"))
    or code
    in {
        Code.NETWORK_UNREACHABLE,
        Code.CLIENT_CERTIFICATE_REQUIRED,
        Code.READ_TIMEOUT,
        Code.DEADLINE_EXCEEDED,
        Code.CONNECTION_CLOSED,
        Code.INVALID_RESPONSE,
    }
]
OF_THE_RECIPIENTS = [Code.RECIPIENTS_REFUSED, Code.MAILBOX_FULL]


@pytest.mark.parametrize("code", [code for code in OF_THE_MAIL_SERVER if code not in OF_THE_RECIPIENTS])
def test_the_cure_of_the_mail_server_addresses_the_administrator(code: Code) -> None:
    assert "your Alertcheck administrator" in next_step(code, "email")


@pytest.mark.parametrize("code", OF_THE_RECIPIENTS)
def test_the_cure_of_a_recipient_addresses_the_reader(code: Code) -> None:
    assert "administrator" not in next_step(code, "email")


@pytest.mark.parametrize("code", OF_THE_MAIL_SERVER)
def test_no_next_step_of_mail_speaks_of_webhooks_or_claims_greylisting(code: Code) -> None:
    assert not re.search("webhook|URL of|the receiver|greylist", next_step(code, "email"))


@pytest.mark.parametrize("code", OF_THE_MAIL_SERVER)
def test_every_sentence_of_mail_names_the_host(code: Code) -> None:
    assert "mail.example" in describe(code, Facts("mail.example"))
