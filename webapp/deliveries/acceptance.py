"""When a destination last accepted a message, and whether that is too long ago to prove anything."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, or_
from sqlalchemy.orm import aliased

from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination

# After so long without an accepted message, nobody knows whether a destination works.
STALE_AFTER = timedelta(days=30)


class Acceptance(NamedTuple):
    """The newest message of a destination that its receiver accepted: a test, a drill or a real alert.

    is_outdated: the settings were changed after it was requested, so it proves nothing about them.
    """

    delivery_id: int
    at: datetime
    is_outdated: bool


def find_evidence(acceptance: Acceptance | None) -> datetime | None:
    """Return when a message was last accepted with the present settings, or None."""
    return None if acceptance is None or acceptance.is_outdated else acceptance.at


def is_stale(acceptance: Acceptance | None, now: datetime) -> bool:
    """Check whether no message was accepted within `STALE_AFTER` with the present settings."""
    evidence = find_evidence(acceptance)
    return evidence is None or now - evidence >= STALE_AFTER


# For an outer query to join: the delivery that `newest_accepted_id_subquery` finds.
ACCEPTED = aliased(AlertDelivery, name="accepted")

# A real alert does not record the settings it was sent with. If the settings were ever changed, one that is older than
# the newest change of its destination may have been sent with earlier ones.
_IS_OUTDATED = or_(
    ACCEPTED.settings_version != AlertDestination.settings_version,
    and_(
        ACCEPTED.event_type != TEST_EVENT,
        AlertDestination.settings_version > 1,
        ACCEPTED.created_at < AlertDestination.updated_at,
    ),
)

# In the order of `Acceptance`.
ACCEPTANCE_COLUMNS = (ACCEPTED.id, ACCEPTED.sent_at, _IS_OUTDATED)
