"""Deletes old deliveries in small steps. The newest test send of a destination is kept forever."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.row_changes import change_rows

log = logging.getLogger(__name__)

# Rows per step, so that no deletion locks the database for long.
PAGE_SIZE = 300

# Seconds between the end of one scan of the table and the start of the next.
SCAN_INTERVAL = 3600

_WAITING = [status for status in DeliveryStatus if status.is_waiting]


class Retention:
    """Scans the deliveries in order of id, oldest first, one page per call, until a page has no old rows.

    keep: how long deliveries are kept; None keeps them all. clock: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, keep: timedelta | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._last_id = 0
        self._next_scan_at = clock()

    def delete_old_page(self, now: datetime) -> int:
        """Delete the old rows of the next page, commit, and return how many were deleted."""
        if self._keep is None or self._clock() < self._next_scan_at:
            return 0
        page = db.session.execute(
            select(AlertDelivery.id, AlertDelivery.created_at)
            .where(AlertDelivery.id > self._last_id)
            .order_by(AlertDelivery.id)
            .limit(PAGE_SIZE)
        ).all()
        old = [row.id for row in page if row.created_at < now - self._keep]
        deleted = _delete(old) if old else 0
        self._continue_after(page[-1].id if old else None)
        return deleted

    def _continue_after(self, last_id: int | None) -> None:
        self._last_id = last_id or 0
        self._next_scan_at = self._clock() + (0 if last_id else SCAN_INTERVAL)


def _delete(ids: list[int]) -> int:
    is_old = AlertDelivery.id.in_(ids)
    statement = delete(AlertDelivery).where(is_old, AlertDelivery.status.not_in(_WAITING), ~_is_newest_test())
    deleted = change_rows(statement)
    db.session.commit()
    log.info("old deliveries deleted", extra={"count": deleted, "up_to": ids[-1]})
    return deleted


def _is_newest_test() -> ColumnElement[bool]:
    newer = aliased(AlertDelivery)
    has_newer = exists().where(
        newer.workspace_id == AlertDelivery.workspace_id,
        newer.alert_destination_id == AlertDelivery.alert_destination_id,
        newer.event_type == TEST_EVENT,
        or_(
            newer.created_at > AlertDelivery.created_at,
            and_(newer.created_at == AlertDelivery.created_at, newer.id > AlertDelivery.id),
        ),
    )
    return (AlertDelivery.event_type == TEST_EVENT) & ~has_newer
