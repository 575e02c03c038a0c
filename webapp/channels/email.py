"""E-mail, through the operator's own mail server."""

import re
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from html import escape

from webapp.channels.contract import (
    I_SEE_IT,
    Accepted,
    Channel,
    Field,
    FieldKind,
    Message,
    Part,
    Preview,
    SettingInvalid,
    Settings,
    get_setting,
)
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import MailResponse, MailServer, OutboundClient, send_mail
from webapp.outbound.smtp.client import is_mail_address

MOST_RECIPIENTS = 20

LONGEST_PLAIN_SUBJECT = 78 - len("Subject: ")
"""Characters that fit on one line (RFC 5322, section 2.1.1)."""

PREVIEWED = ("Subject", "From", "Date", "Message-ID", "Auto-Submitted")
"""Headers that a preview shows; To is not for everybody."""

OPERATOR = "Ask the operator of this dashboard to check its mail settings"


class _Subject(str):
    """A subject that means what it says.

    Given plain text, EmailMessage decodes what looks like an encoded word (RFC 2047) in it, line breaks included.
    A value with a `name` and a `fold` it takes as it is.
    """

    name = "Subject"

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the header's lines, in ASCII."""
        plain = self.isascii() and self.isprintable() and "=?" not in self and len(self) <= LONGEST_PLAIN_SUBJECT
        text = str(self) if plain else Header(self, "utf-8", header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {text}{policy.linesep}"


def _check(text: str, outbound: OutboundClient) -> str:
    recipients = _split(text)
    if not recipients:
        raise SettingInvalid("Enter at least one e-mail address.")
    if len(recipients) > MOST_RECIPIENTS:
        raise SettingInvalid(f"Enter at most {MOST_RECIPIENTS} e-mail addresses; use a mailing list for more.")
    for position, recipient in enumerate(recipients, start=1):
        if not is_mail_address(recipient):
            raise SettingInvalid(
                f"Address {position} is not a plain e-mail address such as alerts@example.com: "
                "only the address, without a name, in plain Latin letters."
            )
    return ", ".join(recipients)


def _split(text: str) -> list[str]:
    """Return the addresses in the order they were written, each once; commas, semicolons and new lines part them."""
    parts = (part.strip() for part in re.split(r"[,;\r\n]", text))
    return list(dict.fromkeys(part for part in parts if part))


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    server, recipients = _get_ends(settings, outbound)
    mail = _compose(message, server.sender, recipients)
    headers = {name: str(value) for name, value in mail.items() if name in PREVIEWED}
    parts = (Part(part.get_content_type(), part.get_content()) for part in mail.iter_parts())
    return Preview("Mail", headers, tuple(parts))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    server, recipients = _get_ends(settings, outbound)
    response = send_mail(server, _compose(message, server.sender, recipients), recipients)
    return Accepted(response.status, _warning(response))


def _get_ends(settings: Settings, outbound: OutboundClient) -> tuple[MailServer, list[str]]:
    """Return the mail server and the recipients; raises `DeliveryFailed` if there are none that can be used."""
    recipients = _split(get_setting(settings, "recipients"))
    if outbound.mail is None:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    if not all(map(is_mail_address, recipients)):
        raise DeliveryFailed(Code.RECIPIENT_INVALID)
    return outbound.mail, recipients


def _warning(response: MailResponse) -> str | None:
    if not response.refused:
        return None
    return (
        f"{response.refused} of {response.recipients} recipients {'was' if response.refused == 1 else 'were'} refused."
    )


def _compose(message: Message, sender: str, recipients: list[str]) -> EmailMessage:
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["Subject"] = _Subject(message.title)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = message.requested_at
    # The same for every attempt, so that a mailbox that got two copies can show one.
    mail["Message-ID"] = f"<{message.message_id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps out-of-office replies away
    mail.set_content(_text(message))
    mail.add_alternative(_html(message), subtype="html")
    return mail


def _text(message: Message) -> str:
    facts = [f"{label}: {value}" for label, value in message.facts.items()]
    link = ["", f"{I_SEE_IT}: {message.receipt_link}"] if message.receipt_link else []
    return "\n".join([message.title, "", message.explanation, "", *facts, *link, ""])


def _html(message: Message) -> str:
    rows = "".join(
        f'<tr><th align="left">{escape(label)}</th><td>{escape(value)}</td></tr>'
        for label, value in message.facts.items()
    )
    link = f'<p><a href="{escape(message.receipt_link)}">{I_SEE_IT}</a></p>' if message.receipt_link else ""
    return (
        f'<!doctype html><html lang="en"><body><h1>{escape(message.title)}</h1>'
        f"<p>{escape(message.explanation)}</p><table>{rows}</table>{link}</body></html>\n"
    )


CHANNEL = Channel(
    label="Email",
    accepted="Accepted by the mail server",
    after_accepted="No mail? Look in the spam folder, then ask whoever runs the mail server to look for the reference.",
    guide=(
        "Choose mailboxes that somebody reads when it matters: a team's list, or a shared mailbox, rather than one "
        "person's.",
        "See that a list takes mail from outside: in Google Groups, “Who can post” is “Anyone on the web”; in the "
        "Exchange admin center, under “Delivery management”, senders inside and outside of the organization.",
        "For a Teams channel, choose More options (…) beside its name and “Get email address”.",
        "Enter the addresses. After the first test, look in the spam folder too, and mark the sender as safe.",
    ),
    fields=(
        Field(
            name="recipients",
            label="Recipients",
            kind=FieldKind.RECIPIENTS,
            help=f"Up to {MOST_RECIPIENTS} e-mail addresses, with a comma or a new line between them.",
            check=_check,
        ),
    ),
    preview=_preview,
    send=_send,
    hints={
        Code.CONFIG_INCOMPLETE: (
            "Enter at least one recipient. If there is one, no mail server is set up: "
            "ask the operator of this dashboard to name one in its settings."
        ),
        Code.SMTP_TEMPORARY: (
            "Many mail servers put off the first message from a stranger (greylisting): "
            "press again in a few minutes. If it stays, ask whoever runs the recipients' mailboxes."
        ),
        Code.SMTP_AUTH_FAILED: f"{OPERATOR}: the user name and password of the mail server.",
        Code.SMTP_AUTH_UNAVAILABLE: f"{OPERATOR}: it has a password, but the mail server takes none on this port.",
        Code.SMTP_TLS_UNAVAILABLE: f"{OPERATOR}: the port, and whether it wants smtp+starttls:// or smtps://.",
        Code.SMTP_PROTOCOL: f"{OPERATOR}: the host, the port, and whether it wants smtp+starttls:// or smtps://.",
        Code.SENDER_REFUSED: f"{OPERATOR}: the mail server does not let it send under this sender's address.",
        Code.RECIPIENTS_REFUSED: "Check the spelling of every recipient, and that the mailboxes take outside mail.",
        Code.CONNECT_REFUSED: f"{OPERATOR}: the host and the port, and that the mail server is running.",
        Code.CONNECT_TIMEOUT: f"{OPERATOR}: the host and the port; many networks block port 25 to the outside.",
        Code.DNS_NOT_FOUND: f"{OPERATOR}: the name of the mail server.",
    },
)
