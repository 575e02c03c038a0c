"""Email, through the mail server of the installation.

Help desks set automatic mail aside, which `Auto-Submitted: auto-generated` marks (RFC 3834, section 5). Sources:
Zendesk suspends it: support.zendesk.com/hc/articles/4408828416282, "Automated response mail".
Jira Service Management rejects it, and `Precedence: bulk`, which Alertcheck never sends:
    confluence.atlassian.com/jirakb, article 1085191121.
Jitbit makes no ticket of it: support.jitbit.com/helpdesk/KB/View/8249222.
GLPI refuses it by the rule "Auto-Reply Auto-Submitted", which it comes with: github.com/glpi-project/glpi/pull/9387.
"""

from email.message import EmailMessage
from html import escape

from webapp.channels.contract import Accepted, Channel, Part, Preview, get_setting
from webapp.channels.fields import FLAG_ON, Field, FieldKind, Settings, check_flag
from webapp.channels.mail_recipients import MAX_RECIPIENTS, check_recipients
from webapp.channels.message import I_SEE_IT, Message
from webapp.failures import Code, DeliveryFailed, Protocol
from webapp.outbound import MailServer, OutboundClient, send_mail
from webapp.outbound.policy.counted_targets import SendTarget, find_recipients
from webapp.outbound.smtp.client import is_mail_address
from webapp.outbound.smtp.composition import compose_mail
from webapp.outbound.smtp.recipients import read_recipients

# The headers that a preview shows. To is missing because only admins may see the recipients in full.
PREVIEW_HEADERS = ("Subject", "From", "Date", "Message-ID", "Auto-Submitted")

OMIT_AUTO_SUBMITTED = "omit_auto_submitted"

ASK_ADMINISTRATOR = "Ask your Alertcheck administrator"
CHECK_MAIL_URL = f"{ASK_ADMINISTRATOR} to check ALERTCHECK_MAIL_URL"
NO_MAIL_SERVER = (
    "No mail server is set up, so no email can be sent. "
    f"{ASK_ADMINISTRATOR} to set ALERTCHECK_MAIL_URL and ALERTCHECK_MAIL_FROM."
)
CHECK_DNS = "ask your Alertcheck administrator to check the DNS servers of the Alertcheck server"


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_recipients(read_recipients(settings.get("recipients", "")))


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    server, recipients = _get_route(settings, outbound)
    mail = _compose(settings, message, server, recipients)
    headers = {name: str(value) for name, value in mail.items() if name in PREVIEW_HEADERS}
    parts = (Part(part.get_content_type(), part.get_content()) for part in mail.iter_parts())
    return Preview("Mail", headers, tuple(parts))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    server, recipients = _get_route(settings, outbound)
    response = send_mail(server, _compose(settings, message, server, recipients), recipients, outbound.recorder)
    return Accepted(response.status, response.warning)


def _get_route(settings: Settings, outbound: OutboundClient) -> tuple[MailServer, list[str]]:
    """Return the mail server and the recipients. Raises `DeliveryFailed` if one of them cannot be used."""
    recipients = read_recipients(get_setting(settings, "recipients"))
    if outbound.mail is None:
        raise DeliveryFailed(Code.DEMO_RECEIVER_ONLY if outbound.policy.demo_receiver else Code.CONFIG_INCOMPLETE)
    if not all(map(outbound.policy.accepts_recipient, recipients)):
        raise DeliveryFailed(Code.DEMO_RECEIVER_ONLY)
    if not all(map(is_mail_address, recipients)):
        raise DeliveryFailed(Code.RECIPIENT_INVALID)
    return outbound.mail, recipients


def _compose(settings: Settings, message: Message, server: MailServer, recipients: list[str]) -> EmailMessage:
    return compose_mail(
        server,
        recipients,
        message.subject,
        message.requested_at,
        message.message_id,
        _text(message),
        _html(message),
        is_automatic=settings.get(OMIT_AUTO_SUBMITTED) != FLAG_ON,
    )


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


def _find_obstacle(outbound: OutboundClient) -> str | None:
    return NO_MAIL_SERVER if outbound.mail is None else None


CHANNEL = Channel(
    label="Email",
    accepted="Accepted by the mail server",
    after_accepted=(
        "No email? Check the spam folder. At a help desk (Zendesk, Jira Service Management, GLPI, Jitbit), check the "
        "mail that it set aside as automatic: an admin can leave out the Auto-Submitted header in the settings. Then "
        "ask your mail server's administrator to find the reference."
    ),
    guide=(
        "Choose mailboxes that somebody reads when it matters: a mailing list of a team or a shared mailbox, rather "
        "than the mailbox of one person.",
        "Check that a mailing list accepts mail from outside. In Google Groups, set “Who can post” to “Anyone on the "
        "web”. In the Exchange admin center, under “Delivery management”, allow senders inside and outside of the "
        "organization.",
        "For a Teams channel, choose More options (…) beside its name, then “Get email address”.",
        "Help desks set automatic mail aside: Zendesk, Jira Service Management, GLPI and Jitbit do. Let the help desk "
        "accept mail from Alertcheck's sender. If it cannot, leave out the Auto-Submitted header.",
        "Enter the addresses. After the first test, check the spam folder too, and mark the sender as safe.",
    ),
    fields=(
        Field(
            name="recipients",
            label="Recipients",
            kind=FieldKind.RECIPIENTS,
            help=f"Up to {MAX_RECIPIENTS} email addresses, separated by commas, semicolons or new lines.",
            check=check_recipients,
        ),
        Field(
            name=OMIT_AUTO_SUBMITTED,
            label="Leave out the Auto-Submitted header",
            kind=FieldKind.FLAG,
            help=(
                "For a help desk that sets automatic mail aside. Tests and alerts then look like mail from a person, "
                "and automatic replies to them may come back to the sender's address."
            ),
            check=check_flag,
            required=False,
        ),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    find_obstacle=_find_obstacle,
    protocol=Protocol.SMTP,
    hints={
        Code.CONFIG_INCOMPLETE: (
            "Enter at least one recipient. If there already is one, no mail server is set up: "
            "ask your Alertcheck administrator to set ALERTCHECK_MAIL_URL and ALERTCHECK_MAIL_FROM."
        ),
        Code.CONNECT_REFUSED: f"{CHECK_MAIL_URL}: the host, the port, and whether the mail server is running.",
        Code.CONNECT_TIMEOUT: f"{CHECK_MAIL_URL}: the host and the port. Many networks block outgoing port 25.",
        Code.NETWORK_UNREACHABLE: f"{CHECK_MAIL_URL}: the host, and whether the Alertcheck server can reach it.",
        Code.DNS_NOT_FOUND: f"{CHECK_MAIL_URL}: the name of the mail server.",
        Code.DNS_TEMPORARY: f"Send another test in a minute. If it keeps happening, {CHECK_DNS}.",
        Code.DNS_TIMEOUT: f"Send another test in a minute. If it keeps happening, {CHECK_DNS}.",
        **dict.fromkeys(
            (Code.READ_TIMEOUT, Code.DEADLINE_EXCEEDED, Code.CONNECTION_CLOSED, Code.INVALID_RESPONSE),
            "Check whether the message arrived before you send another test. Then ask your Alertcheck administrator to "
            "look for it in the log of the mail server.",
        ),
        Code.TLS_UNTRUSTED: (
            f"{ASK_ADMINISTRATOR} to have the mail server use a valid certificate from a public authority, followed by "
            "its intermediate certificates. If it is from your company's own authority, add that authority to "
            "ALERTCHECK_CA_FILE."
        ),
        Code.TLS_SELF_SIGNED: (
            f"{ASK_ADMINISTRATOR} to add the mail server's certificate to ALERTCHECK_CA_FILE, or to have the mail "
            "server use a certificate for this host from a public authority."
        ),
        Code.TLS_INCOMPLETE_CHAIN: (
            f"{ASK_ADMINISTRATOR} to have the mail server send all intermediate certificates, or to add the missing "
            "certificate to ALERTCHECK_CA_FILE."
        ),
        Code.TLS_HOSTNAME_MISMATCH: (
            f"{ASK_ADMINISTRATOR} to use a name in ALERTCHECK_MAIL_URL that the certificate was issued for, or to have "
            "the mail server use a certificate for this host."
        ),
        Code.TLS_EXPIRED: (
            f"{ASK_ADMINISTRATOR} to have the mail server's certificate renewed, or the expired authority replaced: on "
            "the mail server, or in ALERTCHECK_CA_FILE."
        ),
        Code.TLS_NOT_YET_VALID: (
            f"{ASK_ADMINISTRATOR} whether the clock of the Alertcheck server is right. If it is, the mail server needs "
            "certificates that are valid now."
        ),
        Code.TLS_FAILED: (
            f"{CHECK_MAIL_URL}: the port, and whether to use smtp+starttls:// or smtps://. If they are right, the "
            "mail server has to allow TLS 1.2 or later with current ciphers."
        ),
        Code.CLIENT_CERTIFICATE_REQUIRED: (
            f"{ASK_ADMINISTRATOR} to let the mail server accept Alertcheck without a client certificate, or to use "
            "another port or another mail server in ALERTCHECK_MAIL_URL."
        ),
    },
)
