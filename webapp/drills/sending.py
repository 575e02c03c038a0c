"""Requests the test send of a drill within the limits of every test send, and enqueues it."""

from datetime import datetime

from webapp.deliveries import WantedTest
from webapp.deliveries.requesting.rules import WantedDrill
from webapp.models import AlertDestination, Workspace
from webapp.sends.eligibility import RequestResult
from webapp.sends.press import count_and_write, enqueue_or_fail


def send_drill(workspace: Workspace, destination: AlertDestination, drill: WantedDrill, now: datetime) -> int | None:
    """Request the test send of a drill of the schedule, and enqueue it.

    Returns its id, or None if the queue did not accept it. Raises what `count_and_write` has against it.
    """
    wanted = WantedTest(destination, now, destination.settings_version, drill=drill)
    (outcome,) = count_and_write(workspace, [wanted], account=None)
    if isinstance(outcome, Exception):
        raise outcome
    is_accepted = enqueue_or_fail(outcome, requested_at=now) is RequestResult.ACCEPTED
    return outcome if is_accepted else None
