"""The visitor's workspaces, of which there may be thousands: the first for the switcher, and all page by page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import contains_eager

from webapp.database.numbered_pages import NumberedPage, load_page, search_page
from webapp.database.query_plans import PLAN_ONCE
from webapp.extensions import db
from webapp.models import Account, Member, Role, Workspace

# Workspaces that the switcher lists. With more, it leads to the page that finds them.
MAX_LISTED = 100


class OwnWorkspace(NamedTuple):
    """A workspace of the visitor, with the visitor's role in it."""

    workspace_id: int
    slug: str
    name: str
    role: Role


class Switcher(NamedTuple):
    """What the switcher shows. workspaces: by name; none of them if there are too many."""

    workspaces: list[OwnWorkspace]
    has_too_many: bool


# Built once, because every page executes it.
_FIRST = (
    select(Workspace.id, Workspace.slug, Workspace.name, Member.role)
    .join(Member, Member.workspace_id == Workspace.id)
    .where(Member.account_id == bindparam("account_id"), Workspace.deleted_at.is_(None))
    .order_by(Workspace.name, Workspace.id)
    .limit(bindparam("count"))
    .execution_options(**{PLAN_ONCE: True})
)


def list_first_workspaces(account: Account, count: int) -> list[OwnWorkspace]:
    """Return the first workspaces of an account by name, at most `count`."""
    rows = db.session.execute(_FIRST, {"account_id": account.id, "count": count})
    return [OwnWorkspace(*row) for row in rows]


def load_switcher(account: Account) -> Switcher:
    """Return what the switcher shows. Executes one query, whose cost hardly depends on the number of workspaces."""
    return _make_switcher(list_first_workspaces(account, MAX_LISTED + 1))


class SwitcherQuery:
    """The query of the switcher, for pages that show more beside it: columns that have the same value in each row."""

    def __init__(self, *columns: ColumnElement[Any]) -> None:
        """Build the statement once, because every page of a workspace executes it."""
        self._query: Select[*tuple[Any, ...]] = _FIRST.add_columns(*columns)

    def load(self, account: Account, **values: object) -> tuple[Switcher, Sequence[Any]]:
        """Return what the switcher shows, and the columns; none if the account has no workspace any more."""
        key = {"account_id": account.id, "count": MAX_LISTED + 1, **values}
        rows = db.session.connection().execute(self._query, key).all()
        count = len(OwnWorkspace._fields)
        found = [OwnWorkspace._make(row[:count]) for row in rows]
        return _make_switcher(found), rows[0][count:] if rows else ()


def _make_switcher(found: list[OwnWorkspace]) -> Switcher:
    return Switcher([], True) if len(found) > MAX_LISTED else Switcher(found, False)


def load_memberships_page(account: Account, text: str, number: int) -> NumberedPage[Member]:
    """Load a page of an account's memberships, by workspace name. text: part of the name or slug; empty for all."""
    query = (
        select(Member)
        .join(Member.workspace)
        .options(contains_eager(Member.workspace))
        .where(Member.account_id == account.id, Workspace.deleted_at.is_(None))
        .order_by(Workspace.name, Workspace.id)
    )
    page = (
        search_page(query, number, text, Workspace.id, Workspace.name, Workspace.slug)
        if text
        else load_page(query, number)
    )
    return NumberedPage([member for (member,) in page.rows], page.total, page.number)
