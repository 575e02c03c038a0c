"""Checks a list of email recipients that someone entered."""

from webapp.channels.fields import SettingInvalid
from webapp.outbound import OutboundClient
from webapp.outbound.smtp.client import is_mail_address
from webapp.outbound.smtp.recipients import read_recipients

MAX_RECIPIENTS = 20

# In a public demo, where they all are in the visitor's own inbox.
MAX_DEMO_RECIPIENTS = 5

# Characters of a wrong address that an error quotes.
MAX_QUOTED = 80


def check_recipients(text: str, outbound: OutboundClient) -> str:
    """Return the plain addresses, each once. Raises `SettingInvalid`."""
    recipients = read_recipients(text)
    if not recipients:
        raise SettingInvalid("Enter at least one email address.")
    most = MAX_DEMO_RECIPIENTS if outbound.policy.demo_mail_domain else MAX_RECIPIENTS
    if len(recipients) > most:
        raise SettingInvalid(f"Enter at most {most} email addresses. For more recipients, use a mailing list.")
    for recipient in recipients:
        if not is_mail_address(recipient):
            raise SettingInvalid(
                f"“{_shorten(recipient)}” is not an email address such as alerts@example.com. "
                "Correct it, or remove it from the list."
            )
        if not outbound.policy.accepts_recipient(recipient):
            raise SettingInvalid(
                f"This is a demo. It sends email to its own receiver only, and nothing to “{_shorten(recipient)}”. Use "
                "an address that your demo panel lists."
            )
    return ", ".join(recipients)


def _shorten(piece: str) -> str:
    printable = "".join(character for character in piece if character.isprintable())
    return printable if len(printable) <= MAX_QUOTED else f"{printable[: MAX_QUOTED - 1]}…"
