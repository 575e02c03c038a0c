"""The destination of a workspace that is told about the problems of the others, as an admin has chosen."""

from datetime import datetime

from webapp.audit import Action, describe_change, find_actor, record_workspace_event
from webapp.extensions import db
from webapp.models import Account, AlertDestination, NoticeDestination, Workspace
from webapp.models.locking import lock_workspace
from webapp.notices.chosen_destination_health import ChosenHealth, Obstacle, load_health

NONE = "none"


def find_chosen(workspace_id: int) -> ChosenHealth | None:
    """Return the chosen destination with its health, or None if none is chosen."""
    chosen = db.session.get(NoticeDestination, workspace_id, populate_existing=True)
    return None if chosen is None else load_health(chosen.alert_destination_id)


def choose_destination(
    workspace: Workspace, account: Account, destination: AlertDestination | None, now: datetime
) -> Obstacle | None:
    """Store the choice, and commit. None ends it. Returns why the destination cannot be chosen, or None if it is."""
    lock_workspace(workspace)
    before = find_chosen(workspace.id)
    is_same = (before.destination.id if before else None) == (destination.id if destination else None)
    obstacle = None if is_same or destination is None else load_health(destination.id).obstacle_to_choice
    if is_same or obstacle is not None:
        db.session.rollback()
        return obstacle
    _store(workspace.id, destination, now)
    names = [_describe(found) for found in (before.destination if before else None, destination)]
    record = [describe_change("told about problems", *names)]
    record_workspace_event(workspace, Action.NOTICE_DESTINATION_CHANGED, now, find_actor(account), record)
    db.session.commit()
    return None


def _store(workspace_id: int, destination: AlertDestination | None, now: datetime) -> None:
    chosen = db.session.get(NoticeDestination, workspace_id)
    if destination is None:
        db.session.delete(chosen)
    elif chosen is None:
        db.session.add(NoticeDestination(workspace_id=workspace_id, alert_destination_id=destination.id, chosen_at=now))
    else:
        chosen.alert_destination_id, chosen.chosen_at = destination.id, now


def _describe(destination: AlertDestination | None) -> str:
    return f"{destination.name} (destination {destination.id})" if destination else NONE
