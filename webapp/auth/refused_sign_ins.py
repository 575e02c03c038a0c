"""Tells the audit trail about refused sign-ins, at most twice per account and window. Runs in the worker.

A refused sign-in itself is only counted (`webapp.auth.sign_in_limits`): the trail refuses changes, so a row per try
would let strangers fill it, and would make a known account slower to refuse than an unknown one.
"""

from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import Delete, Row, Update, and_, bindparam, delete, func, or_, select, tuple_, update

from webapp.audit import record_refused_sign_ins
from webapp.auth.sign_in_limits import WINDOW
from webapp.extensions import db
from webapp.models import Account, SignInWindow
from webapp.models.row_changes import change_rows

# The most windows that one run moves on, and the seconds after which it leaves the rest to the next one.
PAGE_SIZE = 500
PASS_TIME = 0.025

# The most rows that are kept. Beyond, the oldest that belong to no account go.
MAX_ROWS = 100_000


def report_refused_sign_ins(now: datetime) -> None:
    """Record windows that opened and that ended, delete the ended ones, and commit. Several workers may run it."""
    give_up_at = monotonic() + PASS_TIME
    for number, window in enumerate(db.session.execute(_DUE, {"ended": now - WINDOW}).all()):
        if number and monotonic() >= give_up_at:
            break
        if window.account_id is not None and not window.is_reported and _mark(window):
            _record(window.account_id, window.first_refused_at)
        if window.started_at <= now - WINDOW and _remove(window) and window.account_id is not None:
            _record(window.account_id, window.started_at + WINDOW, window.refused)
    _limit_rows()
    db.session.commit()


_HAS_OPENED = and_(SignInWindow.account_id.is_not(None), SignInWindow.is_reported.is_(False))
_DUE = (
    select(*SignInWindow.__table__.columns)
    .where(or_(_HAS_OPENED, SignInWindow.started_at <= bindparam("ended")))
    .order_by(SignInWindow.started_at, SignInWindow.key)
    .limit(PAGE_SIZE)
)


def _mark(window: Row[Any]) -> bool:
    return _changes_it(update(SignInWindow).where(_HAS_OPENED).values(is_reported=True), window)


def _remove(window: Row[Any]) -> bool:
    return _changes_it(delete(SignInWindow).where(SignInWindow.refused == window.refused), window)


def _changes_it(statement: Update | Delete, window: Row[Any]) -> bool:
    """Execute a conditional change of a window, and return whether this worker made it and not another one."""
    statement = statement.where(SignInWindow.key == window.key, SignInWindow.started_at == window.started_at)
    return change_rows(statement) > 0


def _record(account_id: int, happened_at: datetime, count: int | None = None) -> None:
    account = db.session.get(Account, account_id)
    if account is not None:
        record_refused_sign_ins(account, happened_at, WINDOW, count)


def _limit_rows() -> None:
    excess = (db.session.scalar(select(func.count()).select_from(SignInWindow)) or 0) - MAX_ROWS
    if excess > 0:
        unknown = select(SignInWindow.key, SignInWindow.started_at).where(SignInWindow.account_id.is_(None))
        oldest = unknown.order_by(SignInWindow.first_refused_at).limit(excess)
        is_oldest = tuple_(SignInWindow.key, SignInWindow.started_at).in_(oldest)
        change_rows(delete(SignInWindow).where(is_oldest))
