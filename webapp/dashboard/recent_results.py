"""Loads a destination's recent results: the badges of its last test sends, shown as a sparkline."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import ScalarSelect, bindparam, func, select

from webapp.deliveries.outcome import Badge, badge_for
from webapp.deliveries.queries import NEWEST_FIRST, is_test_send_of
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus

# Test sends per sparkline.
RECENT_COUNT = 20


def list_recent_results(destination_ids: Sequence[int]) -> dict[int, list[Badge]]:
    """Return each destination's recent results, oldest first. Executes one query."""
    rows = db.session.execute(_RECENT_RESULTS, {"destination_ids": destination_ids})
    return {destination_id: parse_recent_results(statuses) for destination_id, statuses in rows}


def recent_results_subquery() -> ScalarSelect[str]:
    """Return a subquery for a destination's recent results, in the format that `parse_recent_results` reads."""
    newest = (
        select(AlertDelivery.status)
        .where(is_test_send_of(AlertDestination))
        .order_by(*NEWEST_FIRST)
        .limit(RECENT_COUNT)
        .correlate(AlertDestination)
        .subquery()
    )
    return select(func.aggregate_strings(newest.c.status, ",")).correlate(AlertDestination).scalar_subquery()


def parse_recent_results(statuses: str | None) -> list[Badge]:
    """Return badges, oldest first. statuses: comma-separated, newest first; None if there are none."""
    return [badge_for(DeliveryStatus(status)) for status in reversed(statuses.split(","))] if statuses else []


def describe_results(badges: Sequence[Badge]) -> str:
    """Return recent results as text: "15 sent, failed, 4 sent"."""
    runs = [(badge, sum(1 for _ in run)) for badge, run in groupby(badges)]
    return ", ".join(badge if count == 1 else f"{count} {badge}" for badge, count in runs)


# Built once, because every list page executes it.
_RECENT_RESULTS = select(AlertDestination.id, recent_results_subquery()).where(
    AlertDestination.id.in_(bindparam("destination_ids", expanding=True))
)
