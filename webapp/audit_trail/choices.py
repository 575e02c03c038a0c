"""Lists the people and the actions that occur in an audit trail, to choose from, however long it is."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.audit import Action
from webapp.audit_trail.listing import Trail
from webapp.extensions import db
from webapp.models import Account, AuditEvent

# People in the menu. The others are found by a link on their name.
MAX_PEOPLE = 200


def list_people(trail: Trail, chosen: int | None = None) -> list[tuple[int, str]]:
    """Return the accounts that acted, by id and with their present name, ordered by name. chosen: is among them."""
    ids = {*_list_values(AuditEvent.account_id, trail)[:MAX_PEOPLE], *([] if chosen is None else [chosen])}
    people = db.session.execute(select(Account.id, Account.name).where(Account.id.in_(ids)))
    names = {account_id: f"Account {account_id}" for account_id in ids} | {row.id: row.name for row in people}
    return sorted(names.items(), key=lambda person: (person[1].casefold(), person[0]))


def list_actions(trail: Trail) -> list[Action]:
    """Return the actions that occurred, in the order of their words; all actions if no index tells which."""
    found = list(Action) if trail.covers_all else _list_values(AuditEvent.action, trail)
    return sorted(Action(value) for value in found if value in list(Action))


def _list_values(column: InstrumentedAttribute[Any], trail: Trail) -> Sequence[Any]:
    """Return the values of a column, smallest first, by one look into an index for each."""
    found = select(_find_next(column, trail, column.is_not(None)).label("value")).cte("found", recursive=True)
    following = _find_next(column, trail, column > found.c.value)
    found = found.union_all(select(following).where(found.c.value.is_not(None)))
    values = select(found.c.value).where(found.c.value.is_not(None)).limit(MAX_PEOPLE)
    return db.session.scalars(values).all()


def _find_next(column: InstrumentedAttribute[Any], trail: Trail, where: ColumnElement[bool]) -> ScalarSelect[Any]:
    # The workspace stands in the order because it can be null, which no planner knows to be one value.
    if trail.covers_all:
        return select(column).where(where).order_by(column).limit(1).scalar_subquery()
    of_trail = AuditEvent.workspace_id == trail.workspace_id
    return select(column).where(of_trail, where).order_by(AuditEvent.workspace_id, column).limit(1).scalar_subquery()
