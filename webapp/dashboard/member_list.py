"""Lists the members of a workspace for its admins: filtered by role and text, admins first, then by name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from webapp.auth.sign_in_methods import SignInMethod, find_sign_in_methods
from webapp.database.numbered_pages import NumberedPage, cut_page, parse_page
from webapp.extensions import db
from webapp.models import Account, Member, Role
from webapp.text.search_text import contains_text, read_search_text


@dataclass(frozen=True)
class MemberQuery:
    """Filter and page of the list. None or an empty text means no filter. page: starts at 1."""

    role: Role | None = None
    text: str = ""
    page: int = 1

    def as_query(self, **changed: object) -> dict[str, object]:
        """Return the URL query parameters for this list, with `changed` applied and defaults left out."""
        parameters = {"role": self.role, "q": self.text, "page": self.page if self.page > 1 else None}
        return {name: value for name, value in (parameters | changed).items() if value}


@dataclass(frozen=True)
class MemberList:
    """What the page lists. counts: members by role, whatever the filter. page: of (member, how they sign in)."""

    counts: dict[Role, int]
    page: NumberedPage[tuple[Member, list[SignInMethod]]]


def parse_member_query(query: Mapping[str, str]) -> MemberQuery:
    """Parse URL query parameters. An unknown value counts as unset."""
    role = query.get("role", "")
    return MemberQuery(
        role=Role(role) if role in list(Role) else None,
        text=read_search_text(query.get("q")),
        page=parse_page(query.get("page")),
    )


def load_member_list(workspace_id: int, query: MemberQuery) -> MemberList:
    """Load one page of the members. Executes three queries, however many members there are."""
    columns = select(Account.id, Account.name, Account.email, Member.role).join(Member.account)
    summaries = [_Summary(*row) for row in db.session.execute(columns.where(Member.workspace_id == workspace_id))]
    counts = Counter(summary.role for summary in summaries)
    found = sorted((summary for summary in summaries if _matches(summary, query)), key=_rank)
    page = cut_page([summary.account_id for summary in found], query.page)
    rows = _load_rows(workspace_id, page.rows)
    return MemberList({role: counts[role] for role in Role}, NumberedPage(rows, page.total, page.number))


class _Summary(NamedTuple):
    """What the filter and the order need of a member."""

    account_id: int
    name: str
    email: str
    role: Role


def _load_rows(workspace_id: int, account_ids: Sequence[int]) -> list[tuple[Member, list[SignInMethod]]]:
    own = select(Member).join(Member.account).options(contains_eager(Member.account))
    listed = own.where(Member.workspace_id == workspace_id, Member.account_id.in_(account_ids))
    members = {member.account_id: member for member in db.session.scalars(listed)}
    methods = find_sign_in_methods(account_ids)
    # Somebody may have been removed since the first query.
    return [(members[account_id], methods[account_id]) for account_id in account_ids if account_id in members]


def _matches(summary: _Summary, query: MemberQuery) -> bool:
    return query.role in (None, summary.role) and contains_text(query.text, summary.name, summary.email)


def _rank(summary: _Summary) -> tuple[object, ...]:
    roles: list[Role] = list(Role)
    return roles.index(summary.role), summary.name.casefold(), summary.account_id
