"""Checks whether a member may test a destination now: one rule for the status, the press and Test all.

A test of a channel that pages people wakes somebody up, so whoever requests one has to confirm it. No test send is
requested without asking `find_refusal`, and without a confirmation the answer is no.
"""

from datetime import datetime
from enum import StrEnum

from webapp.channels import CHANNELS
from webapp.deliveries.requesting.cooldown import seconds_left
from webapp.models import AlertDestination, Role


class RequestResult(StrEnum):
    """The result of requesting a test send. OTHER_TEST_WAITS: for drills only, which supersede no test."""

    ACCEPTED = "accepted"
    PLANNED = "planned"
    NOT_ALLOWED = "not allowed"
    DISABLED = "disabled"
    NOT_CONFIRMED = "not confirmed"
    COOLING_DOWN = "cooling down"
    OTHER_TEST_WAITS = "other test waits"
    MEMBER_LIMIT = "member limit"
    WORKSPACE_LIMIT = "workspace limit"
    TARGET_LIMIT = "target limit"
    QUEUE_UNAVAILABLE = "queue unavailable"


def pages_people(channel_name: str) -> bool:
    """Check whether a test over this channel wakes somebody up. An unknown one sends nothing, so it does not."""
    channel = CHANNELS.get(channel_name)
    return channel is not None and channel.pages_people


def find_refusal(
    role: Role,
    destination: AlertDestination,
    requested_at: datetime | None,
    now: datetime,
    confirms_paging: bool = False,
) -> RequestResult | None:
    """Return why a test send would be refused now, or None.

    confirms_paging: whether whoever requests it confirmed that it pages people, if it does.
    requested_at: when the destination's newest test send was requested; None if never, or where the rate limiter and
        the database still check the cooldown.
    """
    if not role.may_test:
        return RequestResult.NOT_ALLOWED
    if not destination.is_active:
        return RequestResult.DISABLED
    if pages_people(destination.type) and not confirms_paging:
        return RequestResult.NOT_CONFIRMED
    return RequestResult.COOLING_DOWN if seconds_left(requested_at, now) else None
