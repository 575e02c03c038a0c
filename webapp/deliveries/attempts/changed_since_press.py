"""What ends a delivery that waits: its destination was changed, disabled or deleted, or somebody pressed again.

The condition of the claim repeats this, and covers a deleted workspace.
"""

from typing import Any

from sqlalchemy import bindparam, exists

from webapp.deliveries.claim_candidates import ClaimCandidate
from webapp.failures import Code, DeliveryFailed
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, Workspace

CANCELING_CODES = {
    Code.DESTINATION_DELETED,
    Code.DESTINATION_DISABLED,
    Code.DESTINATION_CHANGED,
    Code.SUPERSEDED,
}

# Checked again by the claim itself: the destination may have been disabled or edited since it was loaded, or its
# workspace deleted.
IS_STILL_OPEN = exists().where(
    AlertDestination.is_enabled,
    AlertDestination.deleted_at.is_(None),
    Workspace.id == AlertDestination.workspace_id,
    Workspace.deleted_at.is_(None),
)
STILL_MATCHES = (AlertDelivery.attempt_count == bindparam("seen_count")) & IS_STILL_OPEN.where(
    AlertDestination.id == bindparam("seen_destination"),
    AlertDestination.settings_version == bindparam("seen_version"),
)


def require_unchanged(delivery: ClaimCandidate) -> None:
    """Raise `DeliveryFailed` if the destination changed since the press, or a newer test send exists."""
    destination = delivery.destination
    if destination.deleted_at is not None:
        raise DeliveryFailed(Code.DESTINATION_DELETED)
    if not destination.is_enabled:
        raise DeliveryFailed(Code.DESTINATION_DISABLED)
    if delivery.settings_version not in (None, destination.settings_version):
        raise DeliveryFailed(Code.DESTINATION_CHANGED)
    if delivery.event_type == TEST_EVENT and delivery.newest_test != delivery.id:
        raise DeliveryFailed(Code.SUPERSEDED)


def expected_values(delivery: ClaimCandidate) -> dict[str, Any]:
    """Return the parameters of `STILL_MATCHES` for a delivery as it was read."""
    destination = delivery.destination
    return {
        "seen_count": delivery.attempt_count,
        "seen_destination": destination.id,
        "seen_version": destination.settings_version,
    }
