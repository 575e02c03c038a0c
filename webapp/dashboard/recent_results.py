"""The recent_results of marks: how the last test sends of a destination stand."""

from collections.abc import Sequence

from sqlalchemy import ScalarSelect, bindparam, func, select

from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, DeliveryStatus

RECENT_COUNT = 20

MARKS = {
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.FAILED: "failed",
    DeliveryStatus.QUEUED: "under way",
    DeliveryStatus.DEFERRED: "under way",
    DeliveryStatus.CANCELED: "not sent",
    DeliveryStatus.SUPPRESSED: "not sent",
}
"""What each mark on a recent_results stands for."""


def list_recent_results(destination_ids: Sequence[int]) -> dict[int, list[DeliveryStatus]]:
    """Fetch how the last test sends of each destination stand, the oldest first: one query."""
    rows = db.session.execute(_RECENT_RESULTS, {"destination_ids": destination_ids})
    return {row_id: parse_recent_results(words) for row_id, words in rows}


def recent_results_subquery() -> ScalarSelect[str]:
    """Return the subquery for a destination's recent_results, as `parse_recent_results` reads it."""
    newest = (
        select(AlertDelivery.status)
        .where(
            AlertDelivery.workspace_id == AlertDestination.workspace_id,
            AlertDelivery.alert_destination_id == AlertDestination.id,
            AlertDelivery.event_type == TEST_EVENT,
        )
        .order_by(AlertDelivery.created_at.desc(), AlertDelivery.id.desc())
        .limit(RECENT_COUNT)
        .correlate(AlertDestination)
        .subquery()
    )
    return select(func.aggregate_strings(newest.c.status, ",")).correlate(AlertDestination).scalar_subquery()


def tell_marks(recent_results: Sequence[DeliveryStatus]) -> list[str]:
    """Say what the marks on a recent_results stand for."""
    return [MARKS[status] for status in recent_results]


def parse_recent_results(words: str | None) -> list[DeliveryStatus]:
    """Read what that subquery found, the oldest first."""
    return [DeliveryStatus(word) for word in reversed(words.split(","))] if words else []


# Put together once, since every list asks for it.
_RECENT_RESULTS = select(AlertDestination.id, recent_results_subquery()).where(
    AlertDestination.id.in_(bindparam("destination_ids", expanding=True))
)
