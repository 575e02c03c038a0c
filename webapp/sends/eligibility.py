"""Checks whether a member may test a destination now: one rule for the status, the press and Test all."""

from datetime import datetime
from enum import StrEnum

from webapp.deliveries.cooldown import seconds_left
from webapp.models import AlertDestination, Role


class RequestResult(StrEnum):
    """The result of requesting a test send."""

    ACCEPTED = "accepted"
    PLANNED = "planned"
    NOT_ALLOWED = "not allowed"
    DISABLED = "disabled"
    COOLING_DOWN = "cooling down"
    MEMBER_LIMIT = "member limit"
    WORKSPACE_LIMIT = "workspace limit"
    TARGET_LIMIT = "target limit"
    QUEUE_UNAVAILABLE = "queue unavailable"


def find_refusal(
    role: Role, destination: AlertDestination, requested_at: datetime | None, now: datetime
) -> RequestResult | None:
    """Return why a test send would be refused now, or None.

    requested_at: when the destination's newest test send was requested; None if never, or where the rate limiter and
        the database still check the cooldown.
    """
    if not role.may_test:
        return RequestResult.NOT_ALLOWED
    if not destination.is_enabled or destination.deleted_at is not None:
        return RequestResult.DISABLED
    return RequestResult.COOLING_DOWN if seconds_left(requested_at, now) else None
