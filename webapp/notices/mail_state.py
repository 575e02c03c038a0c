"""Whether notices reach anybody by mail, for the pages and metrics that warn if they do not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, func, select

from webapp.account_mail.outcome import MailError, find_next_step
from webapp.account_mail.requesting import is_account_mail_available
from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import (
    AccountMail,
    AccountMailStatus,
    DestinationProblem,
    DrillSchedule,
    Notice,
    NoticeStatus,
    ProblemKind,
)
from webapp.models.problem import IS_OPEN

# Failures of one recipient: of the mailbox, or of a limit that the recipient has used up. They say nothing about the
# mail of the installation.
OF_RECIPIENTS = frozenset(
    {
        MailError.RECIPIENT_LIMIT.value,
        Code.RECIPIENTS_REFUSED.value,
        Code.RECIPIENT_INVALID.value,
        Code.MAILBOX_FULL.value,
    }
)

# The notices that are counted were written so long ago at most.
COUNTED_FOR = timedelta(days=7)


@dataclass(frozen=True)
class MailTrouble:
    """Why notices reach nobody by mail, in a sentence, and what to do."""

    sentence: str
    next_step: str


def find_mail_trouble(*, is_needed: bool) -> MailTrouble | None:
    """Return why notices reach nobody: the newest one failed and no mail was sent since, or mail is not set up.

    is_needed: whether anything is to be told. If not, it is no trouble that mail is not set up.
    """
    if current_settings().is_public_demo:
        return None
    if not is_account_mail_available():
        return _NOT_SET_UP if is_needed else None
    newest = db.session.scalars(_NEWEST_ENDED).one_or_none()
    if newest is None or newest.status is NoticeStatus.SENT or newest.error_code is None or newest.ended_at is None:
        return None
    was_sent = exists().where(AccountMail.status == AccountMailStatus.SENT, AccountMail.ended_at > newest.ended_at)
    if db.session.scalar(select(was_sent)):
        return None
    step = find_next_step(newest.error_code) or "Ask your Alertcheck administrator to check the mail server."
    return MailTrouble("The last mail about a destination that stopped working could not be sent.", step)


def is_mail_needed() -> bool:
    """Return whether in any workspace a problem is open or drills are on."""
    return bool(db.session.scalar(select(_DRILLS | _PROBLEMS)))


@dataclass(frozen=True)
class ProblemCounts:
    """Open problems by kind, the age of the oldest one in seconds, and the notices of `COUNTED_FOR` by status."""

    open: dict[ProblemKind, int]
    oldest: float
    notices: dict[NoticeStatus, int]


def count_problems(now: datetime) -> ProblemCounts:
    """Count open problems, and the notices of the last days: those of a year would take longer than all else."""
    kinds = select(DestinationProblem.kind, func.count(), func.min(DestinationProblem.opened_at))
    rows = db.session.execute(kinds.where(IS_OPEN).group_by(DestinationProblem.kind)).all()
    of_late = select(Notice.status, func.count()).where(Notice.created_at > now - COUNTED_FOR)
    statuses = db.session.execute(of_late.group_by(Notice.status)).all()
    oldest = min((at for _, _, at in rows), default=now)
    return ProblemCounts(
        {kind: number for kind, number, _ in rows},
        max(0.0, (now - oldest).total_seconds()),
        {row[0]: row[1] for row in statuses},
    )


_NOT_SET_UP = MailTrouble(
    "Nobody is told by mail when a destination stops working, because mail is not set up.",
    "Ask your Alertcheck administrator to set ALERTCHECK_MAIL_URL, ALERTCHECK_MAIL_FROM and ALERTCHECK_PUBLIC_URL.",
)
_DRILLS = exists().where(DrillSchedule.started_at.is_not(None))
_PROBLEMS = select(DestinationProblem.id).where(IS_OPEN).exists()

# The same of one workspace, whose id is the parameter `workspace_id`.
IS_MAIL_NEEDED = _DRILLS.where(DrillSchedule.workspace_id == bindparam("workspace_id")) | _PROBLEMS.where(
    DestinationProblem.workspace_id == bindparam("workspace_id")
)

# Built once, because every page of a workspace executes it.
_NEWEST_ENDED = (
    select(Notice)
    .where(
        Notice.account_mail_id.is_not(None),
        Notice.status.in_([NoticeStatus.SENT, NoticeStatus.FAILED]),
        Notice.error_code.is_(None) | Notice.error_code.not_in(OF_RECIPIENTS),
    )
    .order_by(Notice.id.desc())
    .limit(1)
)
