"""Adds, finds and disables accounts, and changes their passwords."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select

from webapp.account_mail.requesting import is_account_mail_available, request_mail
from webapp.audit import Action, Actor, record_account_event
from webapp.auth.account_links import end_reset_links
from webapp.auth.email_address import InvalidEmail, read_email, read_new_email
from webapp.auth.known_clients import forget_clients
from webapp.auth.password_strength import check_password
from webapp.auth.passwords import hash_password, load_password
from webapp.auth.session_lifetime import end_sessions
from webapp.auth.set_up_links import record_account
from webapp.extensions import db
from webapp.models import Account, AccountMailKind, ExternalIdentity, Member, Workspace

# Workspaces whose names may not be the account's password.
MAX_NAMED = 100


@dataclass(frozen=True)
class NewAccount:
    """What a person has typed about an account of their own."""

    email: str
    name: str
    password: str = field(repr=False)


def find_by_email(text: str) -> Account | None:
    """Return the account with this email address, active or not; None if there is none. text: in any spelling."""
    try:
        email = read_email(text)
    except InvalidEmail:
        return None
    return db.session.scalars(select(Account).where(Account.email == email)).one_or_none()


def change_own_password(account: Account, current: str, password: str, now: datetime) -> bool:
    """Set a new password instead of the current one, as `change_password` does. The caller commits.

    Returns False, and changes nothing, if `current` is not the password, or is not any more. Raises `WeakPassword`.
    """
    stored = load_password(account.email)
    db.session.rollback()  # gives back the connection while the password is checked, and again while one is hashed
    if not stored.is_right(current):
        return False
    password_hash = _hash_checked(account, password)
    db.session.rollback()
    if not stored.lock():
        return False
    account.password_hash = password_hash
    follow_password_change(account, Action.PASSWORD_CHANGED, now)
    return True


def change_password(account: Account, password: str, now: datetime, by: Actor) -> None:
    """Set a new password, end all of the account's sessions and forget its clients. The caller commits.

    by: who sets it. Raises `WeakPassword`.
    """
    set_password(account, password)
    follow_password_change(account, Action.PASSWORD_SET, now, by)


def follow_password_change(account: Account, action: Action, now: datetime, by: Actor | None = None) -> None:
    """End all that the old password allowed, record the change, and tell the owner by mail. The caller commits."""
    end_sessions(account)
    forget_clients(account)
    end_reset_links(account)
    record_account_event(account, action, now, by)
    if end_identities(account):  # otherwise, whoever has the account at the provider could still use it
        record_account_event(account, Action.ACCOUNT_UNLINKED, now, by, ["sign-in: single sign-on → password"])
    if is_account_mail_available():
        request_mail(AccountMailKind.CHANGED, now, account_id=account.id)


def set_active(account: Account, is_active: bool) -> int:
    """Enable or disable sign-in to an account. Its sessions end at once; returns their number. The caller commits."""
    account.is_active = is_active
    end_reset_links(account)
    return end_sessions(account)


def end_identities(account: Account) -> bool:
    """End the link of an account to people at a provider. Returns whether it had one. The caller commits."""
    ended = db.session.execute(delete(ExternalIdentity).where(ExternalIdentity.account_id == account.id))
    return bool(ended.rowcount)  # type: ignore[attr-defined]


def add_account(email: str, name: str, password: str | None, now: datetime) -> Account:
    """Add an account. Without a password, it cannot sign in with one. The caller commits.

    Raises `InvalidEmail` and `WeakPassword`.
    """
    account = Account(email=read_new_email(email), name=name, created_at=now)
    db.session.add(account)
    record_account(db.session, now)
    db.session.flush()
    if password is not None:
        set_password(account, password)
    return account


def set_password(account: Account, password: str) -> None:
    """Set the password of an account that has no sessions. The caller commits. Raises `WeakPassword`."""
    account.password_hash = _hash_checked(account, password)


def _hash_checked(account: Account, password: str) -> str:
    check_password(password, (account.email, account.name, *_list_workspace_names(account)))
    return hash_password(password)


def _list_workspace_names(account: Account) -> list[str]:
    names = select(Workspace.name, Workspace.slug).join(Member).where(Member.account_id == account.id).limit(MAX_NAMED)
    return [name for row in db.session.execute(names) for name in row]
