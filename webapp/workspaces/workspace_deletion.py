"""Deletes a workspace, in the caller's transaction, and records it in the audit trail.

What somebody could use is deleted at once. A worker deletes the rest: `webapp.workspaces.deleted_workspaces`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update

from webapp.audit import Action, Actor, record_instance_event, record_workspace_event
from webapp.deliveries.workspace_deletion import discard_waiting
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, Member, SearchKey, UsedSlug, Workspace
from webapp.models.delivery import IS_WAITING
from webapp.models.locking import lock_workspaces
from webapp.models.ownership import AUDIT_TRAIL, delete_owned_rows
from webapp.models.row_changes import change_rows
from webapp.models.upsert import insert_or_update
from webapp.workspaces.workspace_changes import describe_workspace

# What a deletion leaves to the worker: deliveries, because there can be very many, and what they refer to.
LEFT_TO_WORKER = frozenset({"alert_deliveries", "alert_destinations", "alert_rules", "tenants"})

# Deliveries are counted up to here.
MOST_COUNTED = 100_000


class WorkspaceGone(Exception):
    """The workspace was deleted meanwhile."""


@dataclass(frozen=True)
class WorkspaceImpact:
    """What a deletion loses. has_more_deliveries: whether there are more deliveries than were counted.

    waiting: those of them that are still to be sent, or are being sent.
    """

    members: int
    destinations: int
    deliveries: int
    has_more_deliveries: bool
    waiting: int


def assess_deletion(workspace: Workspace) -> WorkspaceImpact:
    """Return what deleting a workspace loses. Executes four queries."""
    deliveries = select(AlertDelivery.id).where(AlertDelivery.workspace_id == workspace.id)
    destinations = select(AlertDestination.id).where(AlertDestination.workspace_id == workspace.id)
    counted = _count(deliveries.limit(MOST_COUNTED + 1))
    return WorkspaceImpact(
        members=_count(select(Member.account_id).where(Member.workspace_id == workspace.id)),
        destinations=_count(destinations.where(AlertDestination.deleted_at.is_(None))),
        deliveries=min(counted, MOST_COUNTED),
        has_more_deliveries=counted > MOST_COUNTED,
        waiting=_count(deliveries.where(IS_WAITING)),
    )


def delete_workspace(workspace: Workspace, now: datetime, by: Actor) -> None:
    """Close a workspace for everybody, and delete everything that somebody could use. The caller commits.

    From the commit on, nobody finds it and no delivery of it is claimed. A worker deletes the rest in small steps:
    its deliveries, and last the workspace; see `webapp.workspaces.deleted_workspaces`. Its audit events stay.
    Raises `WorkspaceGone` if somebody else was faster.
    """
    lock_workspaces()
    is_open = (Workspace.id == workspace.id) & Workspace.deleted_at.is_(None)
    if not change_rows(update(Workspace).where(is_open).values(deleted_at=now)):
        raise WorkspaceGone
    # In the order in which others lock rows: members before what they made, destinations before their deliveries.
    members = select(Member.account_id).where(Member.workspace_id == workspace.id)
    db.session.execute(members.order_by(Member.account_id).with_for_update()).all()
    _erase_destinations(workspace, now)
    discard_waiting(workspace.id)
    delete_owned_rows(workspace.id, kept={AUDIT_TRAIL, *LEFT_TO_WORKER})
    _keep_slug(workspace, now)
    record_workspace_event(workspace, Action.WORKSPACE_DELETED, now, by)
    record_instance_event(Action.WORKSPACE_DELETED, describe_workspace(workspace), now, by)


def _erase_destinations(workspace: Workspace, now: datetime) -> None:
    """Disable the destinations, and erase their settings, as if each had been deleted."""
    erased: dict[str, Any] = {"deleted_at": func.coalesce(AlertDestination.deleted_at, now), "is_enabled": False}
    erased |= {"config": "", "search_mark": None, "updated_at": now}
    change_rows(update(AlertDestination).where(AlertDestination.workspace_id == workspace.id).values(erased))
    own = select(AlertDestination.id).where(AlertDestination.workspace_id == workspace.id)
    change_rows(delete(SearchKey).where(SearchKey.destination_id.in_(own)))


def _keep_slug(workspace: Workspace, now: datetime) -> None:
    """Note that the slug was used, also of a workspace that was not opened here, such as one of the demo."""
    facts = {"used_by_id": workspace.id, "name": workspace.name, "deleted_at": now}
    used = insert_or_update(UsedSlug).values(slug=workspace.slug, **facts)
    db.session.execute(used.on_conflict_do_update(index_elements=["slug"], set_=facts))


def _count(rows: Select[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(rows.subquery())) or 0
