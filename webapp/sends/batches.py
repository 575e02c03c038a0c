"""Test all: requests many test sends with one press, and measures their progress."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select

from webapp import queue
from webapp.auth.access import Visit
from webapp.deliveries.outcome import Badge, badge_for
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination
from webapp.sends.eligibility import RequestResult
from webapp.sends.request import Refused, enqueue_or_fail, request_within_limits

# The most test sends of one press. The limits per member and per workspace apply as well.
MAX_BATCH = 100

# After one of these results, the remaining destinations would be refused too.
_FINAL_REFUSALS = (RequestResult.WORKSPACE_LIMIT, RequestResult.NOT_ALLOWED)


@dataclass(frozen=True)
class Progress:
    """The progress of one batch. counts: test sends by badge. failed: ids and names of the failed destinations."""

    batch: str
    counts: dict[Badge, int]
    failed: Sequence[tuple[int, str]]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        return self.total - self.counts[Badge.PENDING]


def press_all(visit: Visit, destination_ids: Sequence[int], now: datetime) -> str:
    """Request and enqueue a test send for each enabled destination that is not cooling down. Returns the batch id."""
    batch = secrets.token_hex(8)
    requested = islice(_request_all(visit, destination_ids, now, batch), MAX_BATCH)
    size = 1  # if the queue is unavailable, only one destination loses its cooldown, not twenty
    while (chunk := list(islice(requested, size))) and enqueue_or_fail(*chunk) is RequestResult.ACCEPTED:
        size = queue.BATCH_SIZE
    return batch


def _request_all(visit: Visit, destination_ids: Sequence[int], now: datetime, batch: str) -> Iterator[int]:
    for destination_id in destination_ids:
        destination = db.session.get(AlertDestination, destination_id)
        try:
            if destination is not None:
                yield request_within_limits(visit, destination, now, batch)
        except Refused as refused:
            if refused.reason in _FINAL_REFUSALS:
                return


def measure_progress(workspace_id: int, batch: str) -> Progress:
    """Return the progress of a batch, in one query."""
    of_batch = (AlertDelivery.batch == batch, AlertDelivery.workspace_id == workspace_id)
    rows = db.session.execute(
        select(AlertDelivery.status, AlertDestination.id, AlertDestination.name)
        .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
        .where(*of_batch)
        .order_by(func.lower(AlertDestination.name))
    ).all()
    badges = [badge_for(row.status) for row in rows]
    failed = [(row.id, row.name) for row, badge in zip(rows, badges, strict=True) if badge is Badge.FAILED]
    return Progress(batch, {badge: badges.count(badge) for badge in Badge}, failed)
