"""Sets a new password by a link: mailed to whoever forgot it, or made by an instance admin.

Requesting one does the same work for every address: the worker finds out whether an account has it.
"""

from datetime import datetime

from webapp.account_mail.requesting import is_account_mail_available, request_mail
from webapp.audit import Action, Actor, record_account_event
from webapp.auth import accounts
from webapp.auth.account_links import add_link, find_link, use_link, verify_address
from webapp.auth.password_sign_in import are_passwords_allowed, require_passwords
from webapp.extensions import db
from webapp.models import Account, AccountLink, AccountLinkKind, AccountMailKind


def is_reset_offered() -> bool:
    """Return whether visitors can have a link mailed to them."""
    return are_passwords_allowed() and is_account_mail_available()


def request_reset(email: str, now: datetime) -> int:
    """Request a mail to the account with this canonical address, if there is one. Commits; returns the mail's id."""
    mail = request_mail(AccountMailKind.RESET, now, address=email)
    mail_id = mail.id
    db.session.commit()
    return mail_id


def make_reset_link(account: Account, now: datetime, by: Actor) -> str:
    """Make a link that an instance admin hands over, and record it. Returns its token, which is shown once.

    It replaces the account's earlier links, and its use proves no address. The caller commits. Raises `PasswordsOff`.
    """
    require_passwords()
    token = add_link(account, AccountLinkKind.RESET, now, is_mailed=False)
    record_account_event(account, Action.RESET_LINK_MADE, now, by)
    return token


def find_resetting_account(token: str, now: datetime) -> Account | None:
    """Return whose password a link sets; None if it has ended or never existed. Nothing distinguishes the two."""
    link = _find_link(token, now)
    return link.account if link else None


def reset_password(token: str, password: str, now: datetime) -> Account | None:
    """Set a new password, which ends the link, all sessions and all other such links. The caller commits.

    A mailed link also proves the address. Returns None if the link has ended. Raises `WeakPassword`.
    """
    link = _find_link(token, now)
    if link is None:
        return None
    account = db.session.get_one(Account, link.account_id)
    accounts.set_password(account, password)
    if not use_link(link):
        db.session.rollback()
        return None
    verify_address(account, link, now)
    accounts.follow_password_change(account, Action.PASSWORD_RESET, now)
    return account


def _find_link(token: str, now: datetime) -> AccountLink | None:
    """Return the link with this token. Where passwords are off, none works, however it was made."""
    return find_link(token, AccountLinkKind.RESET, now) if are_passwords_allowed() else None
