"""The workspaces of the installation, those without an admin, and those that were deleted."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, select

from webapp.database.numbered_pages import NumberedPage, load_page, search_page
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, Role, UsedSlug, Workspace


class WorkspaceFilter(StrEnum):
    """Which workspaces a list shows."""

    ALL = "all"
    WITHOUT_ADMIN = "without-admin"


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace of the list, with what it has. admins: those who can sign in."""

    workspace: Workspace
    members: int
    admins: int
    destinations: int


_IS_OPEN = Workspace.deleted_at.is_(None)
_OF_WORKSPACE = Member.workspace_id == Workspace.id
_IS_ADMIN = (Member.role == Role.ADMIN) & exists().where(Account.id == Member.account_id, Account.is_active)

_MEMBERS = select(func.count()).where(_OF_WORKSPACE).correlate(Workspace).scalar_subquery()
_ADMINS = select(func.count()).where(_OF_WORKSPACE, _IS_ADMIN).correlate(Workspace).scalar_subquery()
_DESTINATIONS = (
    select(func.count())
    .where(AlertDestination.workspace_id == Workspace.id, AlertDestination.deleted_at.is_(None))
    .correlate(Workspace)
    .scalar_subquery()
)


def list_workspaces(text: str, which: WorkspaceFilter, number: int) -> NumberedPage[WorkspaceRow]:
    """Load a page of the workspaces whose name or slug contains a text, by name. Executes two queries."""
    query = select(Workspace, _MEMBERS, _ADMINS, _DESTINATIONS).where(_IS_OPEN)
    query = query.order_by(Workspace.name, Workspace.id)
    if which is WorkspaceFilter.WITHOUT_ADMIN:
        query = query.where(_lacks_admin())
    names = (Workspace.name, Workspace.slug)
    page = search_page(query, number, text, Workspace.id, *names) if text else load_page(query, number)
    return NumberedPage([WorkspaceRow(*row) for row in page.rows], page.total, page.number)


def load_workspace_row(workspace: Workspace) -> WorkspaceRow:
    """Load what a workspace has."""
    query = select(Workspace, _MEMBERS, _ADMINS, _DESTINATIONS).where(Workspace.id == workspace.id)
    return WorkspaceRow(*db.session.execute(query).one())


def count_workspaces_without_admin() -> int:
    """Count the workspaces that have no admin who can sign in."""
    return db.session.scalar(select(func.count(Workspace.id)).where(_IS_OPEN, _lacks_admin())) or 0


def has_admin(workspace: Workspace) -> bool:
    """Return whether a workspace has an admin who can sign in."""
    return db.session.scalar(select(Workspace.id).where(Workspace.id == workspace.id, _lacks_admin())) is None


def count_workspaces_being_deleted() -> int:
    """Count the workspaces that are deleted and not yet gone."""
    return db.session.scalar(select(func.count(Workspace.id)).where(Workspace.deleted_at.is_not(None))) or 0


def list_deleted_workspaces(number: int) -> NumberedPage[UsedSlug]:
    """Load a page of the workspaces that were deleted, the last one first. Executes two queries."""
    query = select(UsedSlug).where(UsedSlug.deleted_at.is_not(None))
    page = load_page(query.order_by(UsedSlug.deleted_at.desc(), UsedSlug.slug), number)
    return NumberedPage([row for (row,) in page.rows], page.total, page.number)


def find_deleted_workspace(slug: str) -> UsedSlug | None:
    """Return what is known of a deleted workspace; None if no such workspace was deleted."""
    used = db.session.get(UsedSlug, slug) if slug.isprintable() else None
    return used if used is not None and used.deleted_at is not None else None


def _lacks_admin() -> ColumnElement[bool]:
    return ~exists().where(_OF_WORKSPACE, _IS_ADMIN).correlate(Workspace)
