"""Manages accounts, their passwords and sessions, and workspace memberships."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import joinedload

from webapp.audit import Action, Actor, record_account_event
from webapp.auth.email_address import InvalidEmail, read_email, read_new_email
from webapp.auth.known_clients import forget_clients
from webapp.auth.password_strength import check_password
from webapp.auth.passwords import hash_password, load_password
from webapp.extensions import db
from webapp.models import Account, Member, Role, SignIn, Workspace

SESSION_LIFETIME = timedelta(hours=12)

# Workspaces whose names may not be the account's password.
MAX_NAMED = 100


def find_by_email(text: str) -> Account | None:
    """Return the account with this email address, active or not; None if there is none. text: in any spelling."""
    try:
        email = read_email(text)
    except InvalidEmail:
        return None
    return db.session.scalars(select(Account).where(Account.email == email)).one_or_none()


def is_password_of(account: Account, password: str) -> bool:
    """Check the password of an account."""
    return load_password(account.email).is_right(password)


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


def find_signed_in(sign_in_id: str, now: datetime, lifetime: timedelta = SESSION_LIFETIME) -> Account | None:
    """Return the account of a session; None if the session is over or the account is inactive."""
    found = db.session.scalars(_SIGNED_IN, {"sign_in_id": sign_in_id, "since": now - lifetime}).one_or_none()
    if found is None or not found.account.is_active:
        return None
    found.account.sign_in_id, found.account.is_admin_by_session = found.id, found.is_instance_admin
    return found.account


def sign_out(account: Account, now: datetime) -> None:
    """End the current session and record it; every copy of its cookie becomes invalid. The caller commits."""
    end_sign_in(account)
    record_account_event(account, Action.SIGNED_OUT, now)


def end_sign_in(account: Account) -> None:
    """End the session that this account was loaded for. The caller commits."""
    db.session.execute(delete(SignIn).where(SignIn.id == account.sign_in_id))


def change_password(account: Account, password: str, now: datetime, by: Actor | None = None) -> None:
    """Set a new password, end all of the account's sessions and forget its clients. The caller commits.

    by: who sets it; None if the account's owner does. Raises `WeakPassword`.
    """
    set_password(account, password)
    _end_sessions(account)
    forget_clients(account)
    record_account_event(account, Action.PASSWORD_SET if by else Action.PASSWORD_CHANGED, now, by)


def set_active(account: Account, is_active: bool) -> int:
    """Enable or disable sign-in to an account. Its sessions end at once; returns their number. The caller commits."""
    account.is_active = is_active
    return _end_sessions(account)


def _end_sessions(account: Account) -> int:
    result = db.session.execute(delete(SignIn).where(SignIn.account_id == account.id))
    ended: int = result.rowcount  # type: ignore[attr-defined]
    return ended


def add_account(email: str, name: str, password: str | None, now: datetime) -> Account:
    """Add an account. Without a password, it cannot sign in with one. The caller commits.

    Raises `InvalidEmail` and `WeakPassword`.
    """
    account = Account(email=read_new_email(email), name=name, created_at=now)
    db.session.add(account)
    db.session.flush()
    if password is not None:
        set_password(account, password)
    return account


def set_password(account: Account, password: str) -> None:
    """Set the password of an account that has no sessions. The caller commits. Raises `WeakPassword`."""
    check_password(password, (account.email, account.name, *_list_workspace_names(account)))
    account.password_hash = hash_password(password)


def _list_workspace_names(account: Account) -> list[str]:
    names = select(Workspace.name, Workspace.slug).join(Member).where(Member.account_id == account.id).limit(MAX_NAMED)
    return [name for row in db.session.execute(names) for name in row]


def add_workspace(slug: str, name: str, now: datetime) -> Workspace:
    """Add a workspace. The caller commits."""
    workspace = Workspace(slug=slug, name=name, created_at=now)
    db.session.add(workspace)
    db.session.flush()
    return workspace


def set_role(workspace: Workspace, account: Account, role: Role) -> None:
    """Make an account a member of a workspace, or change its role there. The caller commits."""
    db.session.merge(Member(workspace_id=workspace.id, account_id=account.id, role=role))
