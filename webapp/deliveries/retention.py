"""Delete deliveries that have been kept long enough. The newest test send of a destination is kept for ever."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus

log = logging.getLogger(__name__)

PAGE = 500
"""Rows looked at in one go, so that no deletion holds the database for long."""

PAUSE = 3600
"""Seconds between the end of one walk through the table and the beginning of the next."""


_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)


class Retention:
    """Walks through the deliveries, the oldest first, a page at each call, until it meets a page without old ones.

    keep: None keeps all. clock: returns seconds.
    """

    def __init__(self, keep: timedelta | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._last_id = 0
        self._begins_at = clock()

    def forget_some(self, now: datetime) -> int:
        """Delete what is old on the next page, commit, and return how many rows that were."""
        if self._keep is None or self._clock() < self._begins_at:
            return 0
        page = db.session.execute(
            select(AlertDelivery.id, AlertDelivery.created_at)
            .where(AlertDelivery.id > self._last_id)
            .order_by(AlertDelivery.id)
            .limit(PAGE)
        ).all()
        old = [row.id for row in page if row.created_at < now - self._keep]
        forgotten = _delete(old) if old else 0
        self._turn_page(page[-1].id if old else None)
        return forgotten

    def _turn_page(self, last_id: int | None) -> None:
        self._last_id = last_id or 0
        self._begins_at = self._clock() + (0 if last_id else PAUSE)


def _delete(ids: list[int]) -> int:
    is_old = AlertDelivery.id.in_(ids)
    statement = delete(AlertDelivery).where(is_old, AlertDelivery.status.not_in(_WAITING), ~_is_newest_test())
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    db.session.commit()
    forgotten: int = result.rowcount  # type: ignore[attr-defined]
    log.info("old deliveries deleted", extra={"count": forgotten, "up_to": ids[-1]})
    return forgotten


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
