"""Loads what nearly every request begins with, in one statement: the account of its session, and what its URL names.

The rows of a place wait here for `webapp.auth.access`, which decides who may see them.
"""

from dataclasses import dataclass
from datetime import datetime

from flask import g
from sqlalchemy import and_, bindparam, func, select

from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, Role, SignIn, Workspace


@dataclass(frozen=True)
class Place:
    """What a URL names: a workspace, and a destination unless it is None. Neither need exist."""

    slug: str
    destination_id: int | None


IS_OPEN_WORKSPACE = and_(Workspace.slug == bindparam("slug"), Workspace.deleted_at.is_(None))

# Built once, because every request executes one of them.
_SESSION = (
    select(Account, SignIn.id, SignIn.is_instance_admin, func.coalesce(SignIn.last_seen_at, SignIn.started_at))
    .join(SignIn, SignIn.account_id == Account.id)
    .where(SignIn.id == bindparam("sign_in_id"), SignIn.started_at > bindparam("since"))
)
_WITH_WORKSPACE = (
    _SESSION.add_columns(Workspace, Member.role)
    .outerjoin(Workspace, IS_OPEN_WORKSPACE)
    .outerjoin(Member, and_(Member.workspace_id == Workspace.id, Member.account_id == Account.id))
)
_WITH_DESTINATION = _WITH_WORKSPACE.add_columns(AlertDestination).outerjoin(
    AlertDestination,
    and_(AlertDestination.id == bindparam("destination_id"), AlertDestination.workspace_id == Member.workspace_id),
)


def find_account(sign_in_id: str, since: datetime, place: Place | None = None) -> Account | None:
    """Return the account of a session that began after `since`; None if there is none or the account is inactive.

    Keeps the rows of the place for `take_membership` and `take_destination`.
    """
    key: dict[str, object] = {"sign_in_id": sign_in_id, "since": since}
    if place is None:
        query = _SESSION
    else:
        query = _WITH_WORKSPACE if place.destination_id is None else _WITH_DESTINATION
        key |= {"slug": place.slug, "destination_id": place.destination_id}
    found = db.session.execute(query, key).one_or_none()
    if found is None or not found[0].is_active:
        return None
    account: Account = found[0]
    place_rows: list[object]
    _, account.sign_in_id, account.is_admin_by_session, account.session_seen_at, *place_rows = found
    if place is not None:
        g.place_rows = place_rows
    return account


def take_membership(slug: str) -> tuple[Workspace, Role] | None:
    """Return the workspace that the URL names and the account's role there, or None if they were not loaded.

    Only once: what a later call returns may have changed since, so the caller loads it then.
    """
    match g.get("place_rows"):
        case [Workspace() as workspace, Role() as role, *rest] if workspace.slug == slug:
            g.place_rows = rest
            return workspace, role
    return None


def take_destination(workspace_id: int, destination_id: int) -> AlertDestination | None:
    """Return the destination that the URL names, likewise. It may be deleted."""
    match g.get("place_rows"):
        case [AlertDestination() as found] if (found.workspace_id, found.id) == (workspace_id, destination_id):
            g.place_rows = []
            return found
    return None


def forget_place_rows() -> None:
    """Forget them, because a transaction has ended since they were loaded."""
    g.pop("place_rows", None)
