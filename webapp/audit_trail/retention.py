"""Deletes old audit events in small steps, and records each deletion once it is complete."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update

from webapp.audit import RETENTION, Action, record_instance_event
from webapp.extensions import db
from webapp.models import AuditDeletion, AuditEvent
from webapp.models.row_changes import change_rows
from webapp.models.upsert import insert_or_update

log = logging.getLogger(__name__)

# Events per step, so that no deletion locks the database for long.
PAGE_SIZE = 500

# Seconds between the end of one deletion and the next look for old events.
SCAN_INTERVAL = 3600

# The database refuses to delete events that are too young by its own clock, which may be a little behind.
MARGIN = timedelta(minutes=1)


class AuditRetention:
    """Deletes the events that are older than `keep`, one page per call. Several workers may run it at once.

    The row of `audit_deletions` lasts from the first page to the last one, and is locked for each. It counts what is
    deleted in the same transaction, so that a worker that is killed leaves the right number to the next one.
    keep: None deletes nothing. clock: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, keep: timedelta | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._next_scan_at = clock()

    def delete_old_page(self, now: datetime) -> int:
        """Delete the next page of old events, commit, and return how many were deleted."""
        if self._clock() < self._next_scan_at:
            return 0
        latest = now - self._keep - MARGIN if self._keep else None
        if latest is not None:
            _begin(latest, now)
        limit = _lock()
        # A deletion that began under a shorter retention ends here.
        is_allowed = latest is not None and limit is not None and limit <= latest
        deleted = _delete_page(limit) if is_allowed and limit is not None else 0
        if limit is not None and deleted < PAGE_SIZE:
            _finish(now)
        db.session.commit()
        if deleted < PAGE_SIZE:
            self._next_scan_at = self._clock() + SCAN_INTERVAL
        return deleted


def _begin(limit: datetime, now: datetime) -> None:
    """Begin the deletion of the events from before `limit`, unless there are none or one is under way."""
    is_under_way = db.session.scalar(select(AuditDeletion.id)) is not None
    if is_under_way or db.session.scalar(select(AuditEvent.id).where(_is_before(limit)).limit(1)) is None:
        return
    values = {"id": 1, "delete_before": limit, "deleted": 0, "started_at": now}
    db.session.execute(insert_or_update(AuditDeletion).values(values).on_conflict_do_nothing())


def _lock() -> datetime | None:
    """Lock the deletion that is under way, and return its limit; None if there is none."""
    if db.session.scalar(select(AuditDeletion.id)) is None:  # on SQLite, an update locks the database in any case
        return None
    statement = update(AuditDeletion).values(id=AuditDeletion.id).returning(AuditDeletion.delete_before)
    return db.session.scalar(statement, execution_options=_UNSYNCED)


def _delete_page(limit: datetime) -> int:
    oldest = select(AuditEvent.id).where(_is_before(limit)).order_by(AuditEvent.happened_at, AuditEvent.id)
    page = db.session.scalars(oldest.limit(PAGE_SIZE)).all()
    deleted = change_rows(delete(AuditEvent).where(AuditEvent.id.in_(page)))
    change_rows(update(AuditDeletion).values(deleted=AuditDeletion.deleted + deleted))
    log.info("old audit events deleted", extra={"count": deleted, "before": limit.isoformat()})
    return deleted


def _finish(now: datetime) -> None:
    """End the deletion that is under way, and record it."""
    ended = delete(AuditDeletion).returning(AuditDeletion.deleted, AuditDeletion.delete_before)
    deleted, limit = db.session.execute(ended, execution_options=_UNSYNCED).one()
    if deleted:
        before = f"from before {limit.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        record_instance_event(
            Action.EVENTS_DELETED, f"{deleted} audit event{'s' * (deleted != 1)}", now, RETENTION, [before]
        )


def _is_before(limit: datetime) -> ColumnElement[bool]:
    return AuditEvent.happened_at < limit


_UNSYNCED = {"synchronize_session": False}
