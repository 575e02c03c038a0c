"""Opens workspaces, in the caller's transaction, and records it in the audit trail. by: who acts."""

from datetime import datetime

from sqlalchemy import select

from webapp.audit import Action, Actor, record_workspace_event
from webapp.auth import accounts
from webapp.extensions import db
from webapp.models import Workspace


class InvalidSlug(Exception):
    """A slug is not one. Its text tells the rule."""


class SlugUsed(Exception):
    """A workspace has the slug. Its text says so."""


def find_workspace(slug: str) -> Workspace | None:
    """Return the workspace with this slug, or None."""
    if not slug.isprintable():  # PostgreSQL rejects NUL in a query parameter
        return None
    return db.session.scalars(select(Workspace).where(Workspace.slug == slug)).one_or_none()


def read_slug(slug: str) -> str:
    """Return a slug that is one. Raises `InvalidSlug`."""
    if not (slug.replace("-", "").isalnum() and slug.isascii() and slug == slug.lower() and len(slug) <= 63):
        raise InvalidSlug("A slug has up to 63 lowercase letters, digits and hyphens.")
    return slug


def open_workspace(slug: str, name: str, now: datetime, by: Actor) -> Workspace:
    """Add a workspace. The caller commits. Raises `InvalidSlug`, or `SlugUsed` if a workspace has the slug."""
    if find_workspace(read_slug(slug)):
        raise SlugUsed(f"A workspace {slug} already exists.")
    workspace = accounts.add_workspace(slug, name, now)
    record_workspace_event(workspace, Action.WORKSPACE_ADDED, now, by)
    return workspace
