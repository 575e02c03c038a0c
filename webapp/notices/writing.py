"""Writes a notice in steps of some milliseconds. It counts from the last one on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update

from webapp.account_mail.requesting import request_mail
from webapp.extensions import db
from webapp.models import AccountMailKind, Notice, NoticeItem, NoticeKind, NoticeStatus, Workspace
from webapp.models.insertion import insert_rows
from webapp.models.locking import lock_workspace
from webapp.models.row_changes import change_rows
from webapp.notices.past_notices import WRITTEN_FOR, PastNotices, Recipient, list_recent

# Items of one step.
PAGE_SIZE = 500

# The mail of a notice that is being written: none has this id.
NO_MAIL = 0


@dataclass(frozen=True)
class Look:
    """A look at a workspace. began_at, recent: when, and what its recipients had been told. clock: returns the time."""

    workspace_id: int
    clock: Callable[[], datetime]
    began_at: datetime
    recent: PastNotices


def write_notice(look: Look, recipient: Recipient, items: Mapping[int, NoticeKind]) -> Iterator[bool]:
    """Write what a recipient is told. Each step commits, and yields whether the notice is complete.

    Ends before that if the recipient was told something meanwhile: it may be the same.
    """
    rows = [{"problem_id": problem_id, "kind": kind} for problem_id, kind in items.items()]
    notice_id = None
    for first in range(0, len(rows), PAGE_SIZE):
        now = look.clock()
        lock_workspace(Workspace(id=look.workspace_id))
        recent = list_recent(look.workspace_id, look.began_at, now)[recipient]
        if recent.keys() - look.recent[recipient].keys() - {notice_id}:
            db.session.rollback()
            return
        notice_id = notice_id or _add(look.workspace_id, recipient, now)
        page = rows[first : first + PAGE_SIZE]
        insert_rows(NoticeItem, [{"notice_id": notice_id, **row} for row in page], NoticeItem.problem_id)
        is_complete = first + PAGE_SIZE >= len(rows)
        _change(notice_id, _complete(recipient, now) if is_complete else {"ended_at": now + WRITTEN_FOR})
        db.session.commit()
        yield is_complete


def _add(workspace_id: int, recipient: Recipient, now: datetime) -> int:
    facts = {"account_id": recipient.account_id, "alert_destination_id": recipient.destination_id}
    facts |= {"account_mail_id": None if recipient.account_id is None else NO_MAIL}
    row = facts | {"workspace_id": workspace_id, "status": NoticeStatus.CANCELED, "created_at": now, "ended_at": now}
    notice_id: int = insert_rows(Notice, [row], Notice.id).scalar_one()
    return notice_id


def _complete(recipient: Recipient, now: datetime) -> dict[str, Any]:
    """Return the columns with which a notice counts, and request its mail."""
    values = {"status": NoticeStatus.QUEUED, "created_at": now, "ended_at": None}
    if recipient.account_id is None:
        return values
    return values | {"account_mail_id": request_mail(AccountMailKind.NOTICE, now, account_id=recipient.account_id).id}


def _change(notice_id: int, values: dict[str, Any]) -> None:
    change_rows(update(Notice).where(Notice.id == notice_id).values(values))
