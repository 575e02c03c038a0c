"""The account that a mail is about, and its address."""

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
