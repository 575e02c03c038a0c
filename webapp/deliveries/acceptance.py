"""When a destination last accepted a message, and whether that is too long ago to prove anything."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import aliased

from webapp.deliveries.present_settings import is_of_present_settings
from webapp.models import AlertDelivery

# After so long without an accepted message, nobody knows whether a destination works.
STALE_AFTER = timedelta(days=30)


class Acceptance(NamedTuple):
    """The newest message of a destination that its receiver accepted: a test, a drill or a real alert.

    is_outdated: the settings were changed after it was requested, so it proves nothing about them.
    """

    delivery_id: int
    at: datetime
    is_outdated: bool


def find_proof(acceptance: Acceptance | None) -> datetime | None:
    """Return when a message was last accepted with the present settings, or None."""
    return None if acceptance is None or acceptance.is_outdated else acceptance.at


def is_stale(acceptance: Acceptance | None, now: datetime) -> bool:
    """Check whether no message was accepted within `STALE_AFTER` with the present settings."""
    proof = find_proof(acceptance)
    return proof is None or now - proof >= STALE_AFTER


# For an outer query to join: the delivery that `newest_accepted_id_subquery` finds.
ACCEPTED = aliased(AlertDelivery, name="accepted")

# In the order of `Acceptance`.
ACCEPTANCE_COLUMNS = (ACCEPTED.id, ACCEPTED.sent_at, ~is_of_present_settings(ACCEPTED))
