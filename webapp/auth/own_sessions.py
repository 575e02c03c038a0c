"""An account's own sessions: which there are, since when each is used, and ending them.

A session's id is what its cookie holds, so no page contains it. Pages name a session by a keyed hash of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from webapp.audit import Action, record_account_event
from webapp.auth.keyed_hash import hash_key
from webapp.auth.session_lifetime import SESSION_LIFETIME
from webapp.database.request_timeouts import waiting_at_most
from webapp.database.sessions import discard_transaction
from webapp.extensions import db
from webapp.models import Account, SignIn
from webapp.models.row_changes import change_rows

# How exact "last seen" is: of a session, and of an account.
SESSION_PRECISION = timedelta(minutes=5)
ACCOUNT_PRECISION = timedelta(hours=1)

# Seconds for which the note may wait for the database, such as for another writer of SQLite.
NOTE_WAIT = 0.1

# Seconds for which a process notes nothing after that failed, such as in a database that accepts no changes.
PAUSE = 60.0


@dataclass(frozen=True)
class OwnSession:
    """A session as its owner's page shows it. key: names it in addresses. browser, client: None if not recorded."""

    key: str
    browser: str | None
    client: str | None
    first_seen: datetime
    last_seen: datetime
    is_this: bool


def list_sessions(account: Account, now: datetime) -> list[OwnSession]:
    """Return the account's sessions: this one first, then the others, those seen last first."""
    query = select(SignIn).where(SignIn.account_id == account.id, SignIn.started_at > now - SESSION_LIFETIME)
    own = [_describe(account, session) for session in db.session.scalars(query)]
    return sorted(own, key=lambda session: (session.is_this, session.last_seen), reverse=True)


def find_session(account: Account, key: str, now: datetime) -> OwnSession | None:
    """Return one of the account's sessions; None for every other key."""
    return next((session for session in list_sessions(account, now) if session.key == key), None)


def end_session_of(account: Account, session: OwnSession, now: datetime) -> None:
    """End one of the account's sessions, and record it. The caller commits."""
    for sign_in_id in db.session.scalars(select(SignIn.id).where(SignIn.account_id == account.id)).all():
        if _key(sign_in_id) == session.key:
            change_rows(delete(SignIn).where(SignIn.id == sign_in_id))
            record_account_event(account, Action.SESSION_ENDED, now, changed=[session.browser or "unknown browser"])


def end_other_sessions(account: Account, now: datetime) -> int:
    """End all sessions of the account but the one that this request belongs to, record it, and return their number.

    The caller commits.
    """
    others = delete(SignIn).where(SignIn.account_id == account.id, SignIn.id != (account.sign_in_id or ""))
    ended = change_rows(others)
    if ended:
        record_account_event(account, Action.OTHER_SESSIONS_ENDED, now, changed=[str(ended)])
    return ended


def is_note_due(account: Account, now: datetime) -> bool:
    """Return whether this request's session was last noted as seen so long ago that it is due again."""
    seen = account.session_seen_at
    return seen is not None and now - seen >= SESSION_PRECISION


def note_seen(account: Account, now: datetime) -> bool:
    """Note that a session and its account are in use, and commit. Returns whether that was possible.

    Never waits for a row that is locked, and hardly for the database: whoever comes next notes it. The caller has
    changed nothing yet.
    """
    account_id, sign_in_id = account.id, account.sign_in_id
    try:
        with waiting_at_most(NOTE_WAIT):
            _note(sign_in_id or "", account_id, now)
            db.session.commit()
    except SQLAlchemyError:
        discard_transaction()
        return False
    return True


def _note(sign_in_id: str, account_id: int, now: datetime) -> None:
    session = select(SignIn.id).where(SignIn.id == sign_in_id)
    free = session.with_for_update(skip_locked=True, key_share=True)
    change_rows(update(SignIn).where(SignIn.id.in_(free)).values(last_seen_at=now))
    note_account_seen(account_id, now)


def note_account_seen(account_id: int, now: datetime) -> None:
    """Note that an account is in use, unless that is known or its row is locked. The caller commits."""
    is_due = or_(Account.last_seen_at.is_(None), Account.last_seen_at <= now - ACCOUNT_PRECISION)
    account = select(Account.id).where(Account.id == account_id, is_due)
    free = account.with_for_update(skip_locked=True, key_share=True)
    change_rows(update(Account).where(Account.id.in_(free)).values(last_seen_at=now))


def _describe(account: Account, session: SignIn) -> OwnSession:
    last_seen = session.last_seen_at or session.started_at
    is_this = session.id == account.sign_in_id
    return OwnSession(_key(session.id), session.browser, session.client, session.started_at, last_seen, is_this)


def _key(sign_in_id: str) -> str:
    return hash_key("session", sign_in_id)[:32]
