"""The progress of a press on Test all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from webapp.deliveries.badge import Badge, badge_for
from webapp.deliveries.worker_wait import waits_since
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, Batch
from webapp.presses.left_out_destinations import LeftOut, read_left_out

_WAIT = (AlertDelivery.status, AlertDelivery.attempt_started_at, AlertDelivery.updated_at, AlertDelivery.send_after)


@dataclass(frozen=True)
class BatchProgress:
    """The progress of one batch.

    counts: test sends by badge. failed: ids and names of the failed destinations.
    left_out: None if it is not known. pressed_at: when the last test send was requested; None if it is not known.
    waits_since: since when the first of those that wait for a worker waits; None if none does.
    """

    batch: str
    counts: dict[Badge, int]
    failed: Sequence[tuple[int, str]]
    left_out: Sequence[LeftOut] | None = None
    pressed_at: datetime | None = None
    waits_since: datetime | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        return self.total - self.counts[Badge.PENDING]

    def find_next_press(self, now: datetime) -> datetime | None:
        """Return when the next press tests, or could test, what was left out; None if time does not help."""
        waits = [part.seconds for part in self.left_out or () if part.seconds]
        if not waits or self.pressed_at is None:
            return None
        return min(self.pressed_at, now) + timedelta(seconds=max(waits))  # the clocks of two web servers may differ

    def seconds_left(self, now: datetime) -> int | None:
        """Return the whole seconds until `find_next_press`, or None."""
        end = self.find_next_press(now)
        return max(0, math.ceil((end - now).total_seconds())) if end else None


def measure_progress(workspace_id: int, batch: str) -> BatchProgress:
    """Return the progress of a batch. Executes two queries."""
    rows = db.session.execute(
        select(AlertDestination.id, AlertDestination.name, *_WAIT)
        .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
        .where(AlertDelivery.batch == batch, AlertDelivery.workspace_id == workspace_id)
        .order_by(func.lower(AlertDestination.name))
    ).all()
    badges = [badge_for(row.status) for row in rows]
    failed = [(row.id, row.name) for row, badge in zip(rows, badges, strict=True) if badge is Badge.FAILED]
    counts = {badge: badges.count(badge) for badge in Badge}
    waits = (waits_since(row.status, row.attempt_started_at, row.updated_at, row.send_after) for row in rows)
    since = min(filter(None, waits), default=None)
    press = db.session.scalars(select(Batch).where(Batch.id == batch, Batch.workspace_id == workspace_id)).one_or_none()
    if press is None:
        return BatchProgress(batch, counts, failed, waits_since=since)
    return BatchProgress(batch, counts, failed, read_left_out(press.left_out), press.created_at, since)
