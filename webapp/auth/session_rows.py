"""Loads what nearly every request begins with, in one statement: the account of its session, and what its URL names.

The rows that a URL names wait here for `webapp.auth.access`, which decides who may see them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy import Select, and_, bindparam, func, select

from webapp.database.query_plans import PLAN_ONCE
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, Role, SignIn, Workspace

IS_OPEN_WORKSPACE = and_(Workspace.slug == bindparam("slug"), Workspace.deleted_at.is_(None))

# Built once, because every request executes one of them.
_SESSION = (
    select(Account, SignIn.id, SignIn.is_instance_admin, func.coalesce(SignIn.last_seen_at, SignIn.started_at))
    .join(SignIn, SignIn.account_id == Account.id)
    .where(SignIn.id == bindparam("sign_in_id"), SignIn.started_at > bindparam("since"))
    .execution_options(**{PLAN_ONCE: True})
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


class DestinationFacts:
    """What a view shows of one destination: loaded with the session if the URL names the destination, or alone.

    add: adds columns and joins to a query of destinations, which still has at most one row for each of them.
    parameters: returns those of the query, given the time.
    """

    def __init__(
        self,
        add: Callable[[Select[*tuple[Any, ...]]], Select[*tuple[Any, ...]]],
        parameters: Callable[[datetime], Mapping[str, object]],
    ) -> None:
        """Build the statements once, because that takes longer than executing one."""
        self.parameters = parameters
        self.with_session = add(_WITH_DESTINATION)
        alone: Select[*tuple[Any, ...]] = select().select_from(AlertDestination).execution_options(**{PLAN_ONCE: True})
        self._alone = add(alone).where(AlertDestination.id == bindparam("destination_id"))

    def load(self, destination: AlertDestination, now: datetime) -> Sequence[Any]:
        """Return the columns, as they were loaded with the session. A second call loads them again."""
        kept: tuple[object, AlertDestination | None, Sequence[Any]] | None = g.pop("destination_facts", None)
        if kept is not None and kept[0] is self and kept[1] is destination:
            return kept[2]
        key: dict[str, object] = {"destination_id": destination.id}
        return db.session.execute(self._alone, {**key, **self.parameters(now)}).one()

    def peek(self, destination: AlertDestination, now: datetime) -> Sequence[Any]:
        """Return the columns, and leave them for `load`."""
        columns = self.load(destination, now)
        g.destination_facts = (self, destination, columns)
        return columns


@dataclass(frozen=True)
class UrlRows:
    """What a URL names: a workspace, and a destination unless it is None. Neither need exist.

    facts: what its view shows of the destination, or None.
    """

    slug: str
    destination_id: int | None
    facts: DestinationFacts | None = None


def find_account(sign_in_id: str, since: datetime, now: datetime, wanted: UrlRows | None = None) -> Account | None:
    """Return the account of a session that began after `since`; None if there is none or the account is inactive.

    Keeps the rows that the URL names for `take_membership` and `take_destination`, with their facts.
    """
    query, key = _choose_query(wanted, now)
    found = db.session.execute(query, {"sign_in_id": sign_in_id, "since": since, **key}).one_or_none()
    if found is None or not found[0].is_active:
        return None
    account: Account = found[0]
    _, account.sign_in_id, account.is_admin_by_session, account.session_seen_at, *rest = found
    if wanted is not None:
        g.url_rows = rest[:3]
        g.destination_facts = (wanted.facts, rest[2], rest[3:]) if len(rest) > 3 else None
    return account


def _choose_query(wanted: UrlRows | None, now: datetime) -> tuple[Select[*tuple[Any, ...]], Mapping[str, object]]:
    if wanted is None:
        return _SESSION, {}
    key: dict[str, object] = {"slug": wanted.slug, "destination_id": wanted.destination_id}
    if wanted.destination_id is None:
        return _WITH_WORKSPACE, key
    if wanted.facts is None:
        return _WITH_DESTINATION, key
    return wanted.facts.with_session, {**key, **wanted.facts.parameters(now)}


def take_membership(slug: str) -> tuple[Workspace, Role] | None:
    """Return the workspace that the URL names and the account's role there, or None if they were not loaded.

    Only once: what a later call returns may have changed since, so the caller loads it then.
    """
    match g.get("url_rows"):
        case [Workspace() as workspace, Role() as role, *rest] if workspace.slug == slug:
            g.url_rows = rest
            return workspace, role
    return None


def take_destination(workspace_id: int, destination_id: int) -> AlertDestination | None:
    """Return the destination that the URL names, likewise. It may be deleted."""
    match g.get("url_rows"):
        case [AlertDestination() as found] if (found.workspace_id, found.id) == (workspace_id, destination_id):
            g.url_rows = []
            return found
    return None


def forget_url_rows() -> None:
    """Forget them and the facts, because a transaction has ended since they were loaded."""
    g.pop("url_rows", None)
    g.pop("destination_facts", None)
