"""What a worker does about mails once a second: requeue, expire, mark as lost, and delete what is old."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select, update

from webapp.account_mail.outcome import LIFETIME
from webapp.account_mail.sending import LOST_AFTER, QUEUED, UNCLAIMED, is_send_time
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AccountMail, AccountMailStatus
from webapp.models.row_changes import change_rows, delete_page

# A mail that was enqueued this long ago and is not claimed is enqueued again. Its claim lets only one job send it.
REQUEUE_AFTER = timedelta(seconds=10)

# How long the outcome of a mail is kept.
KEPT_FOR = timedelta(days=7)

# The most mails that one run enqueues, ends for one reason, or deletes. The next run, a second later, continues.
PAGE_SIZE = 100

_PRESENT = select(
    func.coalesce(func.max(case((AccountMail.ended_at.is_(None), 1), else_=0)), 0),
    func.coalesce(func.max(case((AccountMail.ended_at <= bindparam("old"), 1), else_=0)), 0),
).where(or_(AccountMail.ended_at.is_(None), AccountMail.ended_at <= bindparam("old")))


def recover_account_mails(now: datetime) -> Sequence[int]:
    """End mails that are over, delete old ones, commit, and return the ids that have to be enqueued.

    Locks nothing if there is nothing to do. Several workers may run it.
    """
    has_queued, has_old = db.session.execute(_PRESENT, {"old": now - KEPT_FOR}).one()
    due: Sequence[int] = ()
    if has_old:
        delete_page(AccountMail, AccountMail.ended_at <= now - KEPT_FOR, PAGE_SIZE)
    if has_queued:
        _end_all(UNCLAIMED & (AccountMail.created_at <= now - LIFETIME), Code.NOT_STARTED, now)
        claimed_at = AccountMail.claimed_at
        is_lost = or_(claimed_at <= now - LOST_AFTER, claimed_at > now + LOST_AFTER)  # the clock was ahead
        _end_all(QUEUED & is_lost, Code.WORKER_LOST, now)
        due = _take_due(now)
    db.session.commit()
    return due


def _end_all(condition: ColumnElement[bool], code: Code, now: datetime) -> None:
    """End mails. The error of an earlier attempt says more than that no further one began."""
    page = db.session.scalars(select(AccountMail.id).where(condition).order_by(AccountMail.id).limit(PAGE_SIZE)).all()
    if not page:
        return
    is_lost = code is Code.WORKER_LOST
    ended: dict[str, Any] = {
        "status": AccountMailStatus.FAILED,
        "ended_at": now,
        "address": None,
        "error_code": code.value if is_lost else func.coalesce(AccountMail.error_code, code.value),
        "error_message": None if is_lost else AccountMail.error_message,
    }
    change_rows(update(AccountMail).where(AccountMail.id.in_(page), condition).values(ended))


def _take_due(now: datetime) -> Sequence[int]:
    at = AccountMail.enqueued_at
    is_unqueued = or_(at.is_(None), at <= now - REQUEUE_AFTER, at > now + REQUEUE_AFTER)
    condition = UNCLAIMED & is_send_time(now) & is_unqueued
    due = db.session.scalars(select(AccountMail.id).where(condition).order_by(AccountMail.id).limit(PAGE_SIZE)).all()
    if due:
        change_rows(update(AccountMail).where(AccountMail.id.in_(due), condition).values(enqueued_at=now))
    return due
