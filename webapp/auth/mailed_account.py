"""The account that a mail is about, its address, and the addresses of the pages that links in a mail lead to."""

from datetime import datetime

from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.models import Account, AccountMail
from webapp.outbound.smtp.email_addresses import canonical_address


def find_account_recipient(mail: AccountMail) -> str | None:
    """Return the address of the account that a mail is about; None if it is gone or may not sign in."""
    account = db.session.get(Account, mail.account_id) if mail.account_id is not None else None
    return canonical_address(account.email) if account is not None and account.is_active else None


def get_mailed_account(mail: AccountMail) -> Account:
    """Return the account that a mail is about, which a recipient was found for."""
    return db.session.get_one(Account, mail.account_id)


def make_page_address(path: str) -> str:
    """Return the address of a page as mails contain it: below ALERTCHECK_PUBLIC_URL, whatever a request says."""
    return f"{current_settings().links.public_url}{path}"


def describe_end(end: datetime) -> str:
    """Return a time as a mail says it, which a reader of any time zone understands."""
    return f"{end:%Y-%m-%d %H:%M} UTC"
