"""Opens and renames workspaces, in the caller's transaction, and records it in the audit trail. by: who acts."""

from datetime import datetime

from sqlalchemy import select

from webapp.audit import Action, Actor, describe_change, record_instance_event, record_workspace_event
from webapp.extensions import db
from webapp.models import UsedSlug, Workspace
from webapp.models.locking import lock_workspaces
from webapp.text.slugs import read_slug
from webapp.workspaces.support_everywhere import add_supporters


class SlugUsed(Exception):
    """Another workspace has or had the slug, as the exception's text says. is_deleted: whether that one was deleted."""

    def __init__(self, slug: str, is_deleted: bool) -> None:
        reason = "was deleted, and no other workspace gets its slug" if is_deleted else "already exists"
        super().__init__(f"A workspace {slug} {reason}.")
        self.is_deleted = is_deleted


def add_workspace(slug: str, name: str, now: datetime) -> Workspace:
    """Add a workspace, and record nothing: for the demo's beginning. The caller commits."""
    workspace = Workspace(slug=slug, name=name, created_at=now)
    db.session.add(workspace)
    db.session.flush()
    return workspace


def find_workspace(slug: str) -> Workspace | None:
    """Return the workspace with this slug; None if there is none, or if it was deleted."""
    if not slug.isprintable():  # PostgreSQL rejects NUL in a query parameter
        return None
    named = select(Workspace).where(Workspace.slug == slug, Workspace.deleted_at.is_(None))
    return db.session.scalars(named).one_or_none()


def open_workspace(slug: str, name: str, now: datetime, by: Actor) -> Workspace:
    """Add a workspace, with those who support every workspace as members. The caller commits.

    Raises `InvalidSlug`, or `SlugUsed` if another workspace has or had the slug.
    """
    lock_workspaces()
    _require_new(read_slug(slug))
    workspace = Workspace(slug=slug, name=name, created_at=now)
    db.session.add(workspace)
    db.session.flush()
    db.session.add(UsedSlug(slug=slug, used_by_id=workspace.id, name=name))
    add_supporters(workspace, now, by)
    record_workspace_event(workspace, Action.WORKSPACE_ADDED, now, by)
    record_instance_event(Action.WORKSPACE_ADDED, describe_workspace(workspace), now, by)
    return workspace


def rename_workspace(workspace: Workspace, name: str, now: datetime, by: Actor) -> bool:
    """Change the name; the slug never changes. The caller commits. Returns whether the name changed."""
    if workspace.name == name:
        return False
    record = [describe_change("name", workspace.name, name)]
    workspace.name = name
    record_workspace_event(workspace, Action.WORKSPACE_RENAMED, now, by, record)
    record_instance_event(Action.WORKSPACE_RENAMED, describe_workspace(workspace), now, by, record)
    return True


def describe_workspace(workspace: Workspace) -> str:
    """Return the name and the slug, for the audit trail of the installation."""
    return f"{workspace.name} (workspace {workspace.slug})"


def _require_new(slug: str) -> None:
    """Raise `SlugUsed` if a workspace has or had this slug."""
    used = db.session.get(UsedSlug, slug)
    if used is not None or db.session.scalar(select(Workspace.id).where(Workspace.slug == slug)) is not None:
        raise SlugUsed(slug, is_deleted=used is not None and used.deleted_at is not None)
