"""People: who they are by e-mail address and password, and which workspaces they belong to."""

import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import joinedload

from webapp.audit import Action, Result, record_account_event
from webapp.extensions import db
from webapp.models import Account, Member, Role, SignIn, Workspace

SESSION_LIFE = timedelta(hours=12)
SHORTEST_PASSWORD = 12

_hasher = PasswordHasher()
_NOBODYS_HASH = _hasher.hash("the password of nobody")
"""Checked where there is no account, so that an unknown address takes as long as a wrong password."""


def normalize_email(text: str) -> str:
    """Return the one spelling of an email address that accounts, sign-in and the sign-in limits share."""
    return text.strip().lower()


def find_by_email(email: str) -> Account | None:
    """Find the account with this address, active or not."""
    return db.session.scalars(select(Account).where(Account.email == normalize_email(email))).one_or_none()


def find_by_password(email: str, password: str) -> Account | None:
    """Find the active account with this address and password; None says no more than that there is none."""
    account = find_by_email(email)
    stored = (account.password_hash if account else None) or _NOBODYS_HASH
    try:
        _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    return account if account and account.password_hash and account.is_active else None


def record_refused_sign_in(email: str, now: datetime) -> None:
    """Note that someone tried to sign in to an account that exists, and commit. What was typed is kept nowhere."""
    account = find_by_email(email)
    if account is not None:
        record_account_event(account, Action.SIGNED_IN, now, Result.REFUSED)
        db.session.commit()


def sign_in(account: Account, now: datetime) -> None:
    """Begin a session; its id is the account's `sign_in_id` from now on. The caller commits."""
    db.session.execute(delete(SignIn).where(SignIn.started_at <= now - SESSION_LIFE))
    account.sign_in_id = secrets.token_urlsafe(32)
    db.session.add(SignIn(id=account.sign_in_id, account_id=account.id, started_at=now))
    record_account_event(account, Action.SIGNED_IN, now)


# Asked at every request, so it is put together once.
_SIGNED_IN = (
    select(SignIn)
    .options(joinedload(SignIn.account, innerjoin=True))
    .where(SignIn.id == bindparam("sign_in_id"), SignIn.started_at > bindparam("since"))
)


def find_signed_in(sign_in_id: str, now: datetime) -> Account | None:
    """Find whose session this is, if it is not over and its account is active."""
    found = db.session.scalars(_SIGNED_IN, {"sign_in_id": sign_in_id, "since": now - SESSION_LIFE}).one_or_none()
    if found is None or not found.account.is_active:
        return None
    found.account.sign_in_id = found.id
    return found.account


def sign_out(account: Account, now: datetime) -> None:
    """End the session that loaded this account, in every copy of its cookie. The caller commits."""
    end_sign_in(account)
    record_account_event(account, Action.SIGNED_OUT, now)


def end_sign_in(account: Account) -> None:
    """End the session that loaded this account. The caller commits."""
    db.session.execute(delete(SignIn).where(SignIn.id == account.sign_in_id))


def change_password(account: Account, password: str, now: datetime) -> None:
    """Set a new password and end all of the account's sessions. The caller commits."""
    account.password_hash = _hasher.hash(password)
    _end_sessions(account)
    record_account_event(account, Action.PASSWORD_CHANGED, now)


def set_active(account: Account, is_active: bool) -> None:
    """Let an account in or keep it out; its sessions end at once. The caller commits."""
    account.is_active = is_active
    _end_sessions(account)


def _end_sessions(account: Account) -> None:
    db.session.execute(delete(SignIn).where(SignIn.account_id == account.id))


def add_account(email: str, name: str, password: str | None, now: datetime) -> Account:
    """Add an account; without a password it cannot sign in. The caller commits."""
    password_hash = _hasher.hash(password) if password else None
    account = Account(email=normalize_email(email), name=name, password_hash=password_hash, created_at=now)
    db.session.add(account)
    db.session.flush()
    return account


def add_workspace(slug: str, name: str, now: datetime) -> Workspace:
    """Add a workspace. The caller commits."""
    workspace = Workspace(slug=slug, name=name, created_at=now)
    db.session.add(workspace)
    db.session.flush()
    return workspace


def set_role(workspace: Workspace, account: Account, role: Role) -> None:
    """Make an account a member of a workspace, or change its role there. The caller commits."""
    db.session.merge(Member(workspace_id=workspace.id, account_id=account.id, role=role))
