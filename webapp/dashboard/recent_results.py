"""The strip of marks: how the last test sends of a destination stand."""

from collections.abc import Sequence

from sqlalchemy import ScalarSelect, bindparam, func, select

from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, DeliveryStatus

ON_A_STRIP = 20

MARKS = {
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.FAILED: "failed",
    DeliveryStatus.QUEUED: "under way",
    DeliveryStatus.DEFERRED: "under way",
    DeliveryStatus.CANCELED: "not sent",
    DeliveryStatus.SUPPRESSED: "not sent",
}
"""What each mark on a strip stands for."""


def list_strips(destination_ids: Sequence[int]) -> dict[int, list[DeliveryStatus]]:
    """Fetch how the last test sends of each destination stand, the oldest first: one query."""
    rows = db.session.execute(_STRIPS, {"destination_ids": destination_ids})
    return {row_id: read_strip(words) for row_id, words in rows}


def find_strip() -> ScalarSelect[str]:
    """Return the subquery for a destination's strip, as `read_strip` reads it."""
    newest = (
        select(AlertDelivery.status)
        .where(
            AlertDelivery.workspace_id == AlertDestination.workspace_id,
            AlertDelivery.alert_destination_id == AlertDestination.id,
            AlertDelivery.event_type == TEST_EVENT,
        )
        .order_by(AlertDelivery.created_at.desc(), AlertDelivery.id.desc())
        .limit(ON_A_STRIP)
        .correlate(AlertDestination)
        .subquery()
    )
    return select(func.aggregate_strings(newest.c.status, ",")).correlate(AlertDestination).scalar_subquery()


def tell_marks(strip: Sequence[DeliveryStatus]) -> list[str]:
    """Say what the marks on a strip stand for."""
    return [MARKS[status] for status in strip]


def read_strip(words: str | None) -> list[DeliveryStatus]:
    """Read what that subquery found, the oldest first."""
    return [DeliveryStatus(word) for word in reversed(words.split(","))] if words else []


# Put together once, since every list asks for it.
_STRIPS = select(AlertDestination.id, find_strip()).where(
    AlertDestination.id.in_(bindparam("destination_ids", expanding=True))
)
