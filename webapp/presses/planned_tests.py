"""Plans a test where the cooldown refuses one, and cancels it. The worker requests it: `planned_test_runs`."""

from datetime import datetime

from webapp import deliveries
from webapp.audit import Action, record_destination_event
from webapp.auth.access import Visit
from webapp.deliveries.requesting.planned_test_transitions import end_planned_test
from webapp.extensions import db
from webapp.models import AlertDestination, PlanEnd
from webapp.presses.eligibility import RequestResult
from webapp.presses.press import PressResult, press


def press_or_plan(
    visit: Visit, destination: AlertDestination, now: datetime, confirms_paging: bool = False
) -> PressResult:
    """Request one test send, or during the cooldown plan one for its end. confirms_paging: see `find_refusal`."""
    pressed = press(visit, destination, now, confirms_paging)
    if pressed.result is not RequestResult.COOLING_DOWN:
        return pressed
    try:
        deliveries.plan_test(destination, visit.account, now, confirms_paging)
    except deliveries.DestinationDisabled:
        return PressResult(RequestResult.DISABLED)
    return PressResult(RequestResult.PLANNED)


def cancel(visit: Visit, destination: AlertDestination, now: datetime) -> bool:
    """Cancel the planned test of a destination, and commit. Returns False if none is planned."""
    is_canceled = end_planned_test(destination, PlanEnd.CANCELED, now, visit.account.name)
    if is_canceled:
        record_destination_event(destination, visit.account, Action.PLAN_CANCELED, now)
    db.session.commit()
    return is_canceled
