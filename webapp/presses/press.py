"""Handles a press on Send test: checks it, writes the row within the limits and enqueues it, or refuses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp import deliveries
from webapp.app_state import current_settings
from webapp.auth.access import Visit
from webapp.database.sessions import keeping_rows
from webapp.deliveries import WantedTest
from webapp.deliveries.requesting.request_rules import DrillTaken, OtherTestWaits
from webapp.failures import DeliveryFailed
from webapp.models import Account, AlertDestination, Workspace
from webapp.outbound.policy.counted_targets import SendTarget
from webapp.presses.eligibility import RequestResult, find_refusal
from webapp.presses.enqueueing import enqueue_or_fail
from webapp.presses.limit_counters import TooManyTestSends, list_limits
from webapp.presses.limit_enforcement import Press, enforce_limits


class Refused(Exception):
    """The request was refused, and no test send was written.

    reason: why. seconds, seconds_to_all: of `TooManyTestSends`, or 0 for another reason.
    """

    def __init__(self, reason: RequestResult, seconds: int = 0, seconds_to_all: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.seconds, self.seconds_to_all = reason, seconds, seconds_to_all


@dataclass(frozen=True)
class PressResult:
    """What became of a press. seconds: until the next one may be accepted, if a limit refused this one."""

    result: RequestResult
    seconds: int = 0


def press(visit: Visit, destination: AlertDestination, now: datetime, confirms_paging: bool = False) -> PressResult:
    """Request one test send and enqueue it. confirms_paging: see `find_refusal`."""
    try:
        with keeping_rows():  # the response shows them as they were while the destination was locked
            delivery_id = request_within_limits(visit, destination, now, confirms_paging=confirms_paging)
    except Refused as refused:
        return PressResult(refused.reason, refused.seconds)
    return PressResult(enqueue_or_fail(delivery_id, requested_at=now))


def request_within_limits(
    visit: Visit,
    destination: AlertDestination,
    now: datetime,
    plan_id: int | None = None,
    confirms_paging: bool = False,
) -> int:
    """Write one test send and return its id. Raises `Refused`.

    plan_id: of the planned test that becomes this test send. Raises `PlanGone` if it has ended.
    confirms_paging: see `find_refusal`.
    """
    wanted = WantedTest(destination, now, destination.settings_version, plan_id)
    (outcome,) = request_each_within_limits(visit, [wanted], confirms_paging=confirms_paging)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def request_each_within_limits(
    visit: Visit, wanted: Sequence[WantedTest], batch: str | None = None, confirms_paging: bool = False
) -> list[int | Refused]:
    """Write test sends in one transaction, and return for each, in this order, its id or why it was refused.

    batch: shared by all test sends of one press on Test all, which do not count for the member.
    confirms_paging: see `find_refusal`.
    """
    # Checked before the limits, so that a refusal does not use up the cooldown.
    refusals = [find_refusal(visit.role, each.destination, None, each.now, confirms_paging) for each in wanted]
    allowed = [each for each, refusal in zip(wanted, refusals, strict=True) if refusal is None]
    counted_for = None if batch else visit.account.id
    outcomes = iter(
        count_and_write(visit.workspace, allowed, visit.account, counted_for, batch, visit.by_customer_link)
    )
    return [read_outcome(next(outcomes)) if refusal is None else Refused(refusal) for refusal in refusals]


def count_and_write(
    workspace: Workspace,
    wanted: Sequence[WantedTest],
    account: Account | None,
    counted_for: int | None = None,
    batch: str | None = None,
    by_customer_link: bool = False,
) -> list[int | Exception]:
    """Write test sends or drills within the limits of every test send, without asking who may request them.

    Returns for each, in this order, its id, or the exception with which `deliveries.request_tests` or
    `enforce_limits` refused it.
    account, batch, by_customer_link: as for `deliveries.request_tests`.
    counted_for: the id of the account for which they count; None if they count for the workspace only.
    """
    if not wanted:
        return []
    ids = [each.destination.id for each in wanted]
    targets = [list_targets(each.destination, workspace.slug) for each in wanted]
    presses = [
        Press(destination_id, list_limits(counted_for, workspace.id, found))
        for destination_id, found in zip(ids, targets, strict=True)
    ]
    with enforce_limits(presses) as refusals:
        admitted = [each for each, destination_id in zip(wanted, ids, strict=True) if destination_id not in refusals]
        written = iter(deliveries.request_tests(admitted, account, batch, by_customer_link) if admitted else ())
        outcomes = [refusals.get(destination_id) or next(written) for destination_id in ids]
        for destination_id, outcome in zip(ids, outcomes, strict=True):
            if isinstance(outcome, Exception):
                refusals[destination_id] = outcome
    return outcomes


# `DrillTaken`: another process requested this drill a moment ago, so its destination is cooling down.
_REASONS: Mapping[type[Exception], RequestResult] = {
    deliveries.CoolingDown: RequestResult.COOLING_DOWN,
    deliveries.DestinationDisabled: RequestResult.DISABLED,
    DrillTaken: RequestResult.COOLING_DOWN,
    OtherTestWaits: RequestResult.OTHER_TEST_WAITS,
}


def read_outcome(outcome: int | Exception) -> int | Refused:
    """Return the id of a test send, or `Refused` for an exception that refused it. Raises any other exception."""
    if isinstance(outcome, TooManyTestSends):
        return Refused(outcome.reason, outcome.seconds, outcome.seconds_to_all)
    if isinstance(outcome, Exception):
        if type(outcome) not in _REASONS:
            raise outcome
        return Refused(_REASONS[type(outcome)])
    return outcome


def list_targets(destination: AlertDestination, slug: str) -> tuple[SendTarget, ...]:
    """Return what a message would be sent to; nothing if the worker will refuse the settings and send nothing.

    slug: that of the workspace.
    """
    app_settings = current_settings()
    try:
        channel = deliveries.get_channel(destination)
        settings = deliveries.open_settings(destination, app_settings)
    except DeliveryFailed:
        return ()
    return channel.targets(settings, app_settings.outbound_for(slug))
