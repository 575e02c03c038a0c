"""When a destination last accepted a message, and whether that proves anything about its present settings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from webapp.deliveries.newest_deliveries import newest_accepted_subquery
from webapp.deliveries.present_settings import is_of_present_settings
from webapp.deliveries.queries import IS_TEST_SEND
from webapp.models import AlertDelivery
from webapp.models.json_array import JsonArray
from webapp.models.types import read_stored_time


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


# For an outer query of destinations. In the order of `Acceptance`.
ACCEPTANCE = newest_accepted_subquery(
    JsonArray(AlertDelivery.id, AlertDelivery.sent_at, ~is_of_present_settings(), ~IS_TEST_SEND)
)


def read_acceptance(facts: Sequence[Any] | None) -> Acceptance | None:
    """Return the acceptance in the array of `ACCEPTANCE`."""
    if facts is None:
        return None
    delivery_id, at, is_outdated, is_real_alert = facts
    moment = read_stored_time(at)
    return Acceptance(delivery_id, moment, bool(is_outdated), bool(is_real_alert)) if moment else None
