"""When a session begins and ends. It is a row, so ending it makes every copy of its cookie invalid."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete

from webapp.audit import Action, record_account_event
from webapp.auth.session_origin import SessionOrigin
from webapp.auth.session_rows import UrlRows, find_account
from webapp.extensions import db
from webapp.models import Account, SignIn

# From the sign-in, however much the session is used.
SESSION_LIFETIME = timedelta(hours=12)


def sign_in(
    account: Account, now: datetime, origin: SessionOrigin | None = None, *, is_instance_admin: bool = False
) -> None:
    """Start a session and set the account's `sign_in_id` to its id. The caller commits.

    origin: None if unknown.
    is_instance_admin: whether this session alone has the rights of an instance admin.
    """
    db.session.execute(delete(SignIn).where(SignIn.started_at <= now - SESSION_LIFETIME))
    account.sign_in_id = secrets.token_urlsafe(32)
    rights = {"is_instance_admin": is_instance_admin}
    session = SignIn(id=account.sign_in_id, account_id=account.id, started_at=now, last_seen_at=now, **rights)
    if origin is not None:
        session.browser, session.client = origin.browser, origin.client
    db.session.add(session)
    record_account_event(account, Action.SIGNED_IN, now)


def find_signed_in(
    sign_in_id: str, now: datetime, lifetime: timedelta = SESSION_LIFETIME, wanted: UrlRows | None = None
) -> Account | None:
    """Return the account of a session; None if the session is over or the account is inactive.

    wanted: what the URL names, to be loaded with it.
    """
    return find_account(sign_in_id, now - lifetime, now, wanted)


def sign_out(account: Account, now: datetime) -> None:
    """End the current session and record it; every copy of its cookie becomes invalid. The caller commits."""
    end_sign_in(account)
    record_account_event(account, Action.SIGNED_OUT, now)


def end_sign_in(account: Account) -> None:
    """End the session that this account was loaded for. The caller commits."""
    db.session.execute(delete(SignIn).where(SignIn.id == account.sign_in_id))


def end_sessions(account: Account) -> int:
    """End every session of an account; return their number. The caller commits."""
    result = db.session.execute(delete(SignIn).where(SignIn.account_id == account.id))
    ended: int = result.rowcount  # type: ignore[attr-defined]
    return ended
