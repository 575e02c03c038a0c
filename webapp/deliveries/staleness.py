"""When a destination is stale: no message was accepted for so long that nobody knows whether it works."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, false, func, not_

from webapp.deliveries.last_acceptance import Acceptance, find_proof
from webapp.deliveries.newest_deliveries import newest_accepted_subquery
from webapp.deliveries.present_settings import is_of_present_settings
from webapp.models import AlertDelivery
from webapp.models.types import UtcDateTime

# Since a message was last accepted with the present settings.
STALE_AFTER = timedelta(days=30)


def is_stale(acceptance: Acceptance | None, now: datetime) -> bool:
    """Check whether no message was accepted within `STALE_AFTER` with the present settings."""
    proof = find_proof(acceptance)
    return proof is None or now - proof >= STALE_AFTER


# The condition of `is_stale`, for an outer query of destinations with the parameter of `stale_limit`.
IS_STALE = not_(
    func.coalesce(
        newest_accepted_subquery(
            (AlertDelivery.sent_at > bindparam("stale_until", type_=UtcDateTime)) & is_of_present_settings()
        ),
        false(),
    )
)


def stale_limit(now: datetime) -> dict[str, datetime]:
    """Return the parameter of `IS_STALE`."""
    return {"stale_until": now - STALE_AFTER}
