"""Manages accounts, their passwords and sessions, and workspace memberships."""

import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import joinedload

from webapp.audit import Action, Result, record_account_event
from webapp.extensions import db
from webapp.models import Account, Member, Role, SignIn, Workspace

SESSION_LIFETIME = timedelta(hours=12)
MIN_PASSWORD_LENGTH = 12

_hasher = PasswordHasher()
# Verified if there is no account, so that an unknown address takes as long as a wrong password.
_DUMMY_HASH = _hasher.hash("the password of nobody")


def normalize_email(text: str) -> str:
    """Return the canonical form of an email address, for accounts, sign-in and the sign-in limits."""
    return text.strip().lower()


def find_by_email(email: str) -> Account | None:
    """Return the account with this email address, active or not; None if there is none."""
    return db.session.scalars(select(Account).where(Account.email == normalize_email(email))).one_or_none()


def find_by_password(email: str, password: str) -> Account | None:
    """Return the active account with this email address and password. None does not reveal which of them is wrong."""
    account = find_by_email(email)
    stored = (account.password_hash if account else None) or _DUMMY_HASH
    try:
        _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    return account if account and account.password_hash and account.is_active else None


def record_refused_sign_in(email: str, now: datetime) -> None:
    """Record a failed sign-in to an existing account in the audit trail, and commit. Does not store the input."""
    account = find_by_email(email)
    if account is not None:
        record_account_event(account, Action.SIGNED_IN, now, Result.REFUSED)
        db.session.commit()


def sign_in(account: Account, now: datetime) -> None:
    """Start a session and set the account's `sign_in_id` to its id. The caller commits."""
    db.session.execute(delete(SignIn).where(SignIn.started_at <= now - SESSION_LIFETIME))
    account.sign_in_id = secrets.token_urlsafe(32)
    db.session.add(SignIn(id=account.sign_in_id, account_id=account.id, started_at=now))
    record_account_event(account, Action.SIGNED_IN, now)


# Built once, because every request executes it.
_SIGNED_IN = (
    select(SignIn)
    .options(joinedload(SignIn.account, innerjoin=True))
    .where(SignIn.id == bindparam("sign_in_id"), SignIn.started_at > bindparam("since"))
)


def find_signed_in(sign_in_id: str, now: datetime) -> Account | None:
    """Return the account of a session; None if the session is over or the account is inactive."""
    found = db.session.scalars(_SIGNED_IN, {"sign_in_id": sign_in_id, "since": now - SESSION_LIFETIME}).one_or_none()
    if found is None or not found.account.is_active:
        return None
    found.account.sign_in_id = found.id
    return found.account


def sign_out(account: Account, now: datetime) -> None:
    """End the current session and record it; every copy of its cookie becomes invalid. The caller commits."""
    end_sign_in(account)
    record_account_event(account, Action.SIGNED_OUT, now)


def end_sign_in(account: Account) -> None:
    """End the session that this account was loaded for. The caller commits."""
    db.session.execute(delete(SignIn).where(SignIn.id == account.sign_in_id))


def change_password(account: Account, password: str, now: datetime) -> None:
    """Set a new password and end all of the account's sessions. The caller commits."""
    account.password_hash = _hasher.hash(password)
    _end_sessions(account)
    record_account_event(account, Action.PASSWORD_CHANGED, now)


def set_active(account: Account, is_active: bool) -> None:
    """Enable or disable sign-in to an account; its sessions end at once. The caller commits."""
    account.is_active = is_active
    _end_sessions(account)


def _end_sessions(account: Account) -> None:
    db.session.execute(delete(SignIn).where(SignIn.account_id == account.id))


def add_account(email: str, name: str, password: str | None, now: datetime) -> Account:
    """Add an account. Without a password, it cannot sign in with one. The caller commits."""
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
