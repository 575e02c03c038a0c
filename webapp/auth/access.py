"""What the visitor may load. What a stranger asks for does not exist for them."""

from dataclasses import dataclass

from flask import abort
from sqlalchemy import bindparam, select
from sqlalchemy.orm import contains_eager

from webapp.auth.sessions import current_account
from webapp.deliveries.queries import find_test_send
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, Member, Role, Workspace
from webapp.models.types import LARGEST_ID


@dataclass(frozen=True)
class Visit:
    """A signed-in account in one of its workspaces."""

    account: Account
    workspace: Workspace
    role: Role


# Asked at nearly every request, so they are put together once.
_MEMBERSHIP = (
    select(Member)
    .join(Member.workspace)
    .options(contains_eager(Member.workspace))
    .where(Workspace.slug == bindparam("slug"), Member.account_id == bindparam("account_id"))
)
_MEMBERSHIPS = (
    select(Member)
    .join(Member.workspace)
    .options(contains_eager(Member.workspace))
    .where(Member.account_id == bindparam("account_id"))
    .order_by(Workspace.name, Workspace.id)
)
_DESTINATION = select(AlertDestination).where(
    AlertDestination.id == bindparam("destination_id"), AlertDestination.workspace_id == bindparam("workspace_id")
)


def list_memberships(account: Account) -> list[Member]:
    """Fetch the account's workspaces, by name."""
    return list(db.session.scalars(_MEMBERSHIPS, {"account_id": account.id}))


def load_visit(slug: str) -> Visit:
    """Load a workspace for the signed-in account, or answer 404: unknown and foreign alike."""
    if not slug.isprintable():  # PostgreSQL cannot even look for NUL
        abort(404)
    account = current_account()
    member = db.session.scalars(_MEMBERSHIP, {"slug": slug, "account_id": account.id}).one_or_none()
    if member is None:
        abort(404)
    return Visit(account, member.workspace, member.role)


def load_visit_to_edit(slug: str) -> Visit:
    """Load a workspace that the signed-in account may edit, or answer 404 (no member) or 403 (not an admin)."""
    visit = load_visit(slug)
    if not visit.role.may_edit:
        abort(403)
    return visit


def load_destination(visit: Visit, destination_id: str) -> AlertDestination:
    """Load a destination of the visited workspace, or answer 404: unknown, foreign, deleted and garbage alike."""
    destination = load_past_destination(visit, destination_id)
    if destination.deleted_at is not None:
        abort(404)
    return destination


def load_past_destination(visit: Visit, destination_id: str) -> AlertDestination:
    """Load a destination of the workspace, deleted or not, or answer 404: unknown, foreign and garbage alike."""
    key = {"destination_id": _read_id(destination_id), "workspace_id": visit.workspace.id}
    return db.session.scalars(_DESTINATION, key).one_or_none() or abort(404)


def load_test_send(destination: AlertDestination, delivery_id: str) -> AlertDelivery:
    """Load a test send of a destination, or answer 404."""
    return find_test_send(destination, _read_id(delivery_id)) or abort(404)


def _read_id(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return min(int(text), LARGEST_ID) if is_number else 0
