"""Lists the members of a workspace for its admins: filtered by role and text, admins first, then by name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from webapp.auth.sign_in_methods import SignInMethod, find_sign_in_methods
from webapp.dashboard.paging import Page, cut_page, parse_page
from webapp.extensions import db
from webapp.models import Account, Member, Role

MAX_TEXT = 100


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
    page: Page[tuple[Member, list[SignInMethod]]]


def parse_member_query(query: Mapping[str, str]) -> MemberQuery:
    """Parse URL query parameters. An unknown value counts as unset."""
    role = query.get("role", "")
    return MemberQuery(
        role=Role(role) if role in list(Role) else None,
        text=query.get("q", "").strip()[:MAX_TEXT],
        page=parse_page(query.get("page", "")),
    )


def load_member_list(workspace_id: int, query: MemberQuery) -> MemberList:
    """Load one page of the members. Executes two queries, however many members there are."""
    own = select(Member).join(Member.account).options(contains_eager(Member.account))
    members = db.session.scalars(own.where(Member.workspace_id == workspace_id)).all()
    counts = Counter(member.role for member in members)
    found = sorted((member for member in members if _matches(member, query)), key=_rank)
    page = cut_page(found, query.page)
    return MemberList({role: counts[role] for role in Role}, _add_sign_in_methods(page))


def _add_sign_in_methods(page: Page[Member]) -> Page[tuple[Member, list[SignInMethod]]]:
    methods = find_sign_in_methods([member.account_id for member in page.rows])
    rows: Sequence[tuple[Member, list[SignInMethod]]] = [(member, methods[member.account_id]) for member in page.rows]
    return Page(rows, page.total, page.number, page.pages)


def _matches(member: Member, query: MemberQuery) -> bool:
    text, account = query.text.casefold(), member.account
    return query.role in (None, member.role) and (text in account.name.casefold() or text in account.email)


def _rank(member: Member) -> tuple[object, ...]:
    roles: list[Role] = list(Role)
    account: Account = member.account
    return roles.index(member.role), account.name.casefold(), account.id
