"""Handles a press on Send test: checks it, writes the row within the limits and enqueues it, or refuses it."""

from dataclasses import dataclass
from datetime import datetime

from webapp import deliveries, queue
from webapp.app_state import current_settings
from webapp.auth.access import Visit
from webapp.failures import DeliveryFailed
from webapp.models import AlertDestination, database_clock
from webapp.outbound.policy.send_targets import SendTarget
from webapp.sends.eligibility import RequestResult, find_refusal
from webapp.sends.press_limits import TooManyTestSends
from webapp.sends.rate_limit import enforce_limits


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
        delivery_id = request_within_limits(visit, destination, now, confirms_paging=confirms_paging)
    except Refused as refused:
        return PressResult(refused.reason, refused.seconds)
    return PressResult(enqueue_or_fail(delivery_id, requested_at=now))


def request_within_limits(
    visit: Visit,
    destination: AlertDestination,
    now: datetime,
    batch: str | None = None,
    plan_id: int | None = None,
    confirms_paging: bool = False,
) -> int:
    """Write one test send and return its id. Raises `Refused`.

    batch: shared by all test sends of one press on Test all, which do not count for the member.
    plan_id: of the planned test that becomes this test send. Raises `PlanGone` if it has ended.
    confirms_paging: see `find_refusal`.
    """
    # Checked before the limits, so that a refusal does not use up the cooldown.
    refusal = find_refusal(visit.role, destination, None, now, confirms_paging)
    if refusal is not None:
        raise Refused(refusal)
    account_id = None if batch else visit.account.id
    targets, version = list_targets(destination, visit.workspace.slug), destination.settings_version
    try:
        with enforce_limits(destination.id, account_id, visit.workspace.id, targets):
            return deliveries.request_test(
                destination, visit.account, now, batch, version, plan_id, visit.by_customer_link
            )
    except deliveries.CoolingDown:
        raise Refused(RequestResult.COOLING_DOWN) from None
    except TooManyTestSends as limit:
        raise Refused(limit.reason, limit.seconds, limit.seconds_to_all) from None
    except deliveries.DestinationDisabled:
        raise Refused(RequestResult.DISABLED) from None


def enqueue_or_fail(*delivery_ids: int, requested_at: datetime) -> RequestResult:
    """Enqueue requested test sends. If the queue is unavailable, their rows end as `queue_unavailable`."""
    try:
        queue.enqueue_deliveries(*delivery_ids)
    except queue.QueueUnavailable:
        for delivery_id in delivery_ids:
            deliveries.fail_unqueued(delivery_id, database_clock.now())
        return RequestResult.QUEUE_UNAVAILABLE
    deliveries.keep_record_sometimes(requested_at)
    return RequestResult.ACCEPTED


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
