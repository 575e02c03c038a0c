"""Loads rows for the signed-in account and checks access. A foreign row gives 404, like a missing one.

What the URL names was loaded with the session, in one statement (`webapp.auth.session_rows`).
"""

from dataclasses import dataclass

from flask import abort
from sqlalchemy import bindparam, select
from sqlalchemy.orm import contains_eager

from webapp.auth.session_rows import IS_OPEN_WORKSPACE, take_destination, take_membership
from webapp.auth.sessions import current_account
from webapp.deliveries.queries import find_test_send
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, Member, Role, Workspace
from webapp.text.ids import parse_id


@dataclass(frozen=True)
class Visit:
    """An account in one of its workspaces, with its role there.

    by_customer_link: whether a customer acts for the account, by a link that it made, and is not signed in.
    """

    account: Account
    workspace: Workspace
    role: Role
    by_customer_link: bool = False


# Built once, because nearly every request executes them.
_MEMBERSHIP = (
    select(Workspace, Member.role)
    .join(Member, Member.workspace_id == Workspace.id)
    .where(IS_OPEN_WORKSPACE, Member.account_id == bindparam("account_id"))
)
_MEMBERSHIPS = (
    select(Member)
    .join(Member.workspace)
    .options(contains_eager(Member.workspace))
    .where(Member.account_id == bindparam("account_id"), Workspace.deleted_at.is_(None))
    .order_by(Workspace.name, Workspace.id)
)
_DESTINATION = select(AlertDestination).where(
    AlertDestination.id == bindparam("destination_id"), AlertDestination.workspace_id == bindparam("workspace_id")
)


def list_memberships(account: Account) -> list[Member]:
    """Return the account's memberships, ordered by workspace name."""
    return list(db.session.scalars(_MEMBERSHIPS, {"account_id": account.id}))


def find_role(workspace: Workspace, account: Account) -> Role | None:
    """Return the role of an account in a workspace, as the database has it now; None if it is not a member."""
    own = (Member.workspace_id == workspace.id) & (Member.account_id == account.id)
    return db.session.scalar(select(Member.role).where(own))


def has_role(workspace_id: int, account_id: int, role: Role) -> bool:
    """Return whether an account still has this role or a higher one, in a workspace that is still there."""
    query = select(Member.role).join(Workspace, Workspace.id == Member.workspace_id)
    query = query.join(Account, Account.id == Member.account_id).where(
        Member.workspace_id == workspace_id,
        Member.account_id == account_id,
        Member.role.in_([other for other in Role if not other.is_below(role)]),
    )
    return db.session.scalar(query.where(Workspace.deleted_at.is_(None), Account.is_active)) is not None


def load_visit(slug: str) -> Visit:
    """Load a workspace of the signed-in account. Aborts with 404 if it is unknown or foreign."""
    if not slug.isprintable():  # PostgreSQL rejects NUL in a query parameter
        abort(404)
    account = current_account()
    workspace, role = take_membership(slug) or _load_membership(slug, account) or abort(404)
    return Visit(account, workspace, role)


def load_visit_to_edit(slug: str) -> Visit:
    """Load a workspace that the signed-in account may edit. Aborts with 404 (not a member) or 403 (not an admin)."""
    visit = load_visit(slug)
    if not visit.role.may_edit:
        abort(403)
    return visit


def load_destination(visit: Visit, destination_id: str) -> AlertDestination:
    """Load a destination of the workspace. Aborts with 404 if the id is unknown, foreign, deleted or not a number."""
    destination = load_past_destination(visit, destination_id)
    if destination.deleted_at is not None:
        abort(404)
    return destination


def load_past_destination(visit: Visit, destination_id: str) -> AlertDestination:
    """Load a destination, deleted or not. Aborts with 404 if the id is unknown, foreign or not a number."""
    number, workspace_id = parse_id(destination_id) or abort(404), visit.workspace.id
    return take_destination(workspace_id, number) or _load_destination(workspace_id, number) or abort(404)


def load_test_send(destination: AlertDestination, delivery_id: str) -> AlertDelivery:
    """Load a test send of a destination. Aborts with 404 if it is not found."""
    return find_test_send(destination, parse_id(delivery_id) or abort(404)) or abort(404)


def _load_membership(slug: str, account: Account) -> tuple[Workspace, Role] | None:
    row = db.session.execute(_MEMBERSHIP, {"slug": slug, "account_id": account.id}).one_or_none()
    return None if row is None else (row[0], row[1])


def _load_destination(workspace_id: int, destination_id: int) -> AlertDestination | None:
    key = {"destination_id": destination_id, "workspace_id": workspace_id}
    return db.session.scalars(_DESTINATION, key).one_or_none()
