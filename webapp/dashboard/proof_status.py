"""What a status fragment shows of a destination's proof, beside the badge."""

from dataclasses import dataclass
from datetime import datetime

from webapp.dashboard.badge_age import find_idle_warning, find_shown_acceptance
from webapp.dashboard.drill_confirmation_status import describe_confirmation
from webapp.deliveries.badge import Badge
from webapp.deliveries.last_acceptance import Acceptance
from webapp.deliveries.proof import Proof
from webapp.deliveries.staleness import is_stale
from webapp.models import AlertDestination


@dataclass(frozen=True)
class ProofStatus:
    """What the fragment shows.

    accepted: the newest accepted message, or None if there is none or the badge says the same.
    idle_warning: that the service turns off a receiver that has been idle for long, or None.
    confirmation: whether people have confirmed its newest drill, or None if it does not need that.
    """

    accepted: Acceptance | None
    idle_warning: str | None
    confirmation: str | None


def describe_proof(
    destination: AlertDestination, proof: Proof, newest_id: int | None, badge: Badge, now: datetime
) -> ProofStatus:
    """Compute what the fragment shows. newest_id, badge: of the newest test send."""
    acceptance, confirmation = proof
    is_old = destination.is_enabled and is_stale(acceptance, now)
    idle = find_idle_warning(acceptance, destination.type, badge, now) if destination.is_enabled else None
    return ProofStatus(
        accepted=find_shown_acceptance(acceptance, newest_id, badge, is_old),
        idle_warning=idle,
        confirmation=describe_confirmation(confirmation) if destination.needs_confirmation else None,
    )
