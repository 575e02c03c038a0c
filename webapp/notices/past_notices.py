"""What the recipients of a workspace were told: all of late, and what about which problem."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select

from webapp.deliveries.arrival import UNCERTAIN_CODES
from webapp.extensions import db
from webapp.models import Notice, NoticeItem, NoticeStatus
from webapp.notices.notice_timing import DAY, UNCERTAIN_MAIL_CODES, PastNotice

# A notice that takes several steps to write is canceled until the last one. Until its `ended_at`, which each step sets
# anew, a worker is writing it, and no other one begins. A worker that dies leaves a notice that told nothing.
WRITTEN_FOR = timedelta(minutes=5)


class Recipient(NamedTuple):
    """Who is told: the id of a person's account, or else of a destination."""

    account_id: int | None
    destination_id: int | None = None

    @property
    def uncertain_codes(self) -> frozenset[str]:
        """Those of failures after which a notice may have arrived."""
        return UNCERTAIN_CODES if self.account_id is None else UNCERTAIN_MAIL_CODES


# Notices to each recipient, by their ids.
PastNotices = Mapping[Recipient, dict[int, PastNotice]]


def list_recent(workspace_id: int, since: datetime, now: datetime) -> PastNotices:
    """Return the notices of the day before `since` and later, and those under way. Canceled ones do not count.

    One that is being written is under way.
    """
    is_being_written = (Notice.ended_at > now) & (Notice.ended_at <= now + WRITTEN_FOR)
    query = select(*_COLUMNS).where(
        Notice.workspace_id == workspace_id,
        or_(Notice.created_at > since - DAY, Notice.status == NoticeStatus.QUEUED),
        or_(_COUNTS, is_being_written),
    )
    recent: PastNotices = defaultdict(dict)
    for notice_id, account_id, destination_id, status, at, code in db.session.execute(query):
        recipient = Recipient(account_id, destination_id)
        found = NoticeStatus.QUEUED if status is NoticeStatus.CANCELED else status
        recent[recipient][notice_id] = PastNotice(found, at, code, uncertain_codes=recipient.uncertain_codes)
    return recent


def list_told(problem_ids: Sequence[int]) -> PastNotices:
    """Return the notices about some problems, with what they told about these."""
    query = select(*_COLUMNS, NoticeItem.problem_id, NoticeItem.kind).join(
        NoticeItem, NoticeItem.notice_id == Notice.id
    )
    told: PastNotices = defaultdict(dict)
    rows = db.session.execute(query.where(NoticeItem.problem_id.in_(problem_ids), _COUNTS))
    for notice_id, account_id, destination_id, status, at, code, problem_id, kind in rows:
        recipient = Recipient(account_id, destination_id)
        notices = told[recipient]
        if notice_id not in notices:
            notices[notice_id] = PastNotice(status, at, code, uncertain_codes=recipient.uncertain_codes)
        notices[notice_id].items[problem_id] = kind
    return told


_COLUMNS = (
    Notice.id,
    Notice.account_id,
    Notice.alert_destination_id,
    Notice.status,
    Notice.created_at,
    Notice.error_code,
)
_COUNTS: ColumnElement[bool] = Notice.status != NoticeStatus.CANCELED
