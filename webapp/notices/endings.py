"""Ends notices, those by mail as their mails ended, and lets what was not told be told again later."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select, update

from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AccountMail, AccountMailStatus, DestinationProblem, Notice, NoticeItem, NoticeStatus
from webapp.models.locking import lock_problems
from webapp.models.row_changes import change_rows

# Notices of one transaction.
PAGE_SIZE = 50

# A mail ends within its lifetime, and its row stays for days. A notice whose mail is gone after this time is lost.
MAIL_IS_LOST_AFTER = timedelta(hours=1)


def settle_notices(now: datetime) -> bool:
    """End a page of the notices whose mails have ended, and commit. Returns whether there may be more."""
    ended = (
        select(Notice.id, Notice.account_mail_id, AccountMail.status, AccountMail.ended_at, AccountMail.error_code)
        .add_columns(AccountMail.error_message)
        .outerjoin(AccountMail, AccountMail.id == Notice.account_mail_id)
        .where(
            _IS_QUEUED,
            Notice.account_mail_id.is_not(None),
            or_(
                AccountMail.ended_at.is_not(None),
                AccountMail.id.is_(None) & (Notice.created_at <= now - MAIL_IS_LOST_AFTER),
            ),
        )
        .limit(PAGE_SIZE)
    )
    rows = db.session.execute(ended.order_by(Notice.id)).all()
    lost = NoticeStatus.FAILED, now, Code.WORKER_LOST.value
    end_notices(
        Ending(notice_id, *lost) if status is None else Ending(notice_id, _STATUSES[status], ended_at, code, message)
        for notice_id, _, status, ended_at, code, message in rows
    )
    db.session.commit()
    return len(rows) == PAGE_SIZE


class Ending(NamedTuple):
    """How a notice ended. code, message: why it failed, or was canceled."""

    notice_id: int
    status: NoticeStatus
    ended_at: datetime
    code: str | None = None
    message: str | None = None


def end_notices(endings: Iterable[Ending]) -> None:
    """End those of the notices that are queued, in the caller's transaction. They are in the order of their ids."""
    ended = [ending for ending in endings if _end(ending)]
    _look_again({ending.notice_id: ending.ended_at for ending in ended if ending.status is not NoticeStatus.SENT})


def _end(ending: Ending) -> bool:
    """Return whether it was queued."""
    values: dict[str, Any] = {
        "status": ending.status,
        "ended_at": ending.ended_at,
        "error_code": ending.code,
        "error_message": ending.message,
    }
    return change_rows(update(Notice).where(Notice.id == ending.notice_id, _IS_QUEUED).values(values)) > 0


def _look_again(ended: dict[int, datetime]) -> None:
    """Make a worker look again at the workspaces of notices that told nothing. The schedule decides what is told.

    One problem of each notice is enough: whoever looks at it looks at the whole workspace.
    ended: when each notice ended, by its id. The workers look from then on.
    """
    if not ended:
        return
    firsts = select(NoticeItem.notice_id, func.min(NoticeItem.problem_id)).where(NoticeItem.notice_id.in_(ended))
    found = db.session.execute(firsts.group_by(NoticeItem.notice_id)).all()
    lock_problems(DestinationProblem.id.in_({problem_id for _, problem_id in found}))
    for notice_id, problem_id in found:
        untold = DestinationProblem.id == problem_id
        change_rows(update(DestinationProblem).where(untold).values(attention_at=ended[notice_id]))


_IS_QUEUED = Notice.status == NoticeStatus.QUEUED
_STATUSES = {
    AccountMailStatus.SENT: NoticeStatus.SENT,
    AccountMailStatus.FAILED: NoticeStatus.FAILED,
    AccountMailStatus.CANCELED: NoticeStatus.CANCELED,
}
