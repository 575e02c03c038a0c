"""Requests the test send of a drill within the limits of every test send, and enqueues it."""

from datetime import datetime

from webapp import deliveries
from webapp.deliveries.due_drills import DueDrill
from webapp.models import Account, AlertDestination, Workspace
from webapp.sends.eligibility import RequestResult
from webapp.sends.rate_limit import enforce_limits
from webapp.sends.request import enqueue_or_fail, list_targets


def request_within_limits(
    workspace: Workspace,
    destination: AlertDestination,
    drill: DueDrill,
    now: datetime,
    account: Account | None = None,
    batch: str | None = None,
) -> int:
    """Write the test send of a drill and return its id. The caller then enqueues it.

    account: who pressed *Drill now*; None for the schedule. A drill counts for the workspace, not for the member.
    batch: shared by the test sends of that press.
    Raises what `request_drill` and `enforce_limits` raise, and writes nothing.
    """
    targets, version = list_targets(destination, workspace.slug), destination.settings_version
    with enforce_limits(destination.id, None, workspace.id, targets):
        return deliveries.request_drill(destination, drill, now, version, account, batch)


def send_drill(workspace: Workspace, destination: AlertDestination, drill: DueDrill, now: datetime) -> int | None:
    """Request the test send of a drill, and enqueue it. Returns its id, or None if the queue did not accept it."""
    delivery_id = request_within_limits(workspace, destination, drill, now)
    is_accepted = enqueue_or_fail(delivery_id, requested_at=now) is RequestResult.ACCEPTED
    return delivery_id if is_accepted else None
