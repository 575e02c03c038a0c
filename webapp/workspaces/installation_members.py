"""Lists the workspaces and the members of the whole installation, for its administrator."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, contains_eager

from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, Workspace


@dataclass(frozen=True)
class WorkspaceEntry:
    """A workspace with its numbers of members and destinations."""

    workspace: Workspace
    members: int
    destinations: int


def list_workspaces() -> list[WorkspaceEntry]:
    """List the workspaces by slug, without those that are being deleted. Executes one query."""
    query = select(
        Workspace,
        _count(Member.account_id, Member.workspace_id == Workspace.id),
        _count(
            AlertDestination.id,
            AlertDestination.workspace_id == Workspace.id,
            AlertDestination.deleted_at.is_(None),
        ),
    )
    open_ones = query.where(Workspace.deleted_at.is_(None)).order_by(Workspace.slug)
    return [WorkspaceEntry(*row) for row in db.session.execute(open_ones)]


def list_members(workspace: Workspace | None = None) -> Sequence[Member]:
    """List the members of one workspace, or of all, by slug and email address. Executes one query."""
    query = (
        select(Member)
        .join(Member.workspace)
        .join(Member.account)
        .options(contains_eager(Member.workspace), contains_eager(Member.account))
        .where(Workspace.deleted_at.is_(None))
    )
    if workspace is not None:
        query = query.where(Workspace.id == workspace.id)
    return db.session.scalars(query.order_by(Workspace.slug, Account.email)).all()


def _count(column: InstrumentedAttribute[int], *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count(column)).where(*conditions).scalar_subquery()
