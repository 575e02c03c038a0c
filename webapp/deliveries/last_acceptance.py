"""When a destination last accepted a message, and whether that is too long ago to prove anything."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, false, func, not_

from webapp.deliveries.newest_deliveries import newest_accepted_subquery
from webapp.deliveries.present_settings import is_of_present_settings
from webapp.deliveries.queries import IS_TEST_SEND
from webapp.models import AlertDelivery
from webapp.models.json_array import JsonArray
from webapp.models.types import UtcDateTime, read_stored_time

# After so long without an accepted message, nobody knows whether a destination works.
STALE_AFTER = timedelta(days=30)


class Acceptance(NamedTuple):
    """The newest message of a destination that its receiver accepted: a test, a drill or a real alert.

    is_outdated: the settings were changed after it was requested, so it proves nothing about them.
    """

    delivery_id: int
    at: datetime
    is_outdated: bool
    is_real_alert: bool = False


def find_proof(acceptance: Acceptance | None) -> datetime | None:
    """Return when a message was last accepted with the present settings, or None."""
    return None if acceptance is None or acceptance.is_outdated else acceptance.at


def is_stale(acceptance: Acceptance | None, now: datetime) -> bool:
    """Check whether no message was accepted within `STALE_AFTER` with the present settings."""
    proof = find_proof(acceptance)
    return proof is None or now - proof >= STALE_AFTER


# For an outer query of destinations. In the order of `Acceptance`.
ACCEPTANCE = newest_accepted_subquery(
    JsonArray(AlertDelivery.id, AlertDelivery.sent_at, ~is_of_present_settings(), ~IS_TEST_SEND)
)

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


def read_acceptance(facts: Sequence[Any] | None) -> Acceptance | None:
    """Return the acceptance in the array of `ACCEPTANCE`."""
    if facts is None:
        return None
    delivery_id, at, is_outdated, is_real_alert = facts
    moment = read_stored_time(at)
    return Acceptance(delivery_id, moment, bool(is_outdated), bool(is_real_alert)) if moment else None
