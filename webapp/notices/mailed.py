"""Takes over into the notices what became of their mails, and lets a failed one be told again later."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update

from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AccountMail, AccountMailStatus, DestinationProblem, Notice, NoticeItem, NoticeStatus

# Notices of one pass.
PAGE_SIZE = 500

# A mail ends within its lifetime, and its row stays for days. A notice whose mail is gone after this time is lost.
MAIL_IS_LOST_AFTER = timedelta(hours=1)


def settle_notices(now: datetime) -> None:
    """End the notices whose mails have ended, in the caller's transaction."""
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
    for notice_id, _, status, ended_at, code, message in db.session.execute(ended).all():
        if status is None:
            end_notice(notice_id, NoticeStatus.FAILED, now, Code.WORKER_LOST.value)
        else:
            end_notice(notice_id, _STATUSES[status], ended_at, code, message)


def end_notice(
    notice_id: int, status: NoticeStatus, ended_at: datetime, code: str | None = None, message: str | None = None
) -> bool:
    """End a queued notice, in the caller's transaction. Returns whether it was queued."""
    values: dict[str, Any] = {"status": status, "ended_at": ended_at, "error_code": code, "error_message": message}
    ending = update(Notice).where(Notice.id == notice_id, Notice.status == NoticeStatus.QUEUED).values(values)
    ended = db.session.execute(ending.execution_options(synchronize_session=False))
    is_ended = bool(ended.rowcount)  # type: ignore[attr-defined]
    if is_ended and status is not NoticeStatus.SENT:
        _look_again(notice_id, ended_at)
    return is_ended


def _look_again(notice_id: int, at: datetime) -> None:
    """Let a worker look at what was not told. The schedule decides when it is told."""
    told = select(NoticeItem.problem_id).where(NoticeItem.notice_id == notice_id)
    looking = update(DestinationProblem).where(DestinationProblem.id.in_(told)).values(attention_at=at)
    db.session.execute(looking.execution_options(synchronize_session=False))


_IS_QUEUED = Notice.status == NoticeStatus.QUEUED
_STATUSES = {
    AccountMailStatus.SENT: NoticeStatus.SENT,
    AccountMailStatus.FAILED: NoticeStatus.FAILED,
    AccountMailStatus.CANCELED: NoticeStatus.CANCELED,
}
