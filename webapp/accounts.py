"""People: who they are by e-mail address and password, and which workspaces they belong to."""

from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Account, Member, Role, Workspace

_hasher = PasswordHasher()
_NOBODYS_HASH = _hasher.hash("the password of nobody")
"""Checked where there is no account, so that an unknown address takes as long as a wrong password."""


def find_by_password(email: str, password: str) -> Account | None:
    """Find the active account with this address and password; None says no more than that there is none."""
    account = db.session.scalars(select(Account).where(Account.email == email.strip().lower())).one_or_none()
    stored = (account.password_hash if account else None) or _NOBODYS_HASH
    try:
        _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    return account if account and account.password_hash and account.is_active else None


def find_active(account_id: str) -> Account | None:
    """Find the account of a session."""
    account = db.session.get(Account, int(account_id)) if account_id.isascii() and account_id.isdigit() else None
    return account if account and account.is_active else None


def add_account(email: str, name: str, password: str | None, now: datetime) -> Account:
    """Add an account; without a password it cannot sign in. The caller commits."""
    password_hash = _hasher.hash(password) if password else None
    account = Account(email=email.strip().lower(), name=name, password_hash=password_hash, created_at=now)
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
