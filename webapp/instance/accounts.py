"""The accounts of the installation, with what each may do and how it signs in."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select

from webapp.database.numbered_pages import NumberedPage, load_page, search_page
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, SignIn, Workspace

# Memberships that the page of an account shows.
MAX_MEMBERSHIPS = 50


# Addresses whose domains are counted, those of the newest accounts.
MAX_ADDRESSES = 5000


class AccountFilter(StrEnum):
    """Which accounts a list shows."""

    ALL = "all"
    DISABLED = "disabled"
    INSTANCE_ADMINS = "instance-admins"
    SUPPORT_EVERYWHERE = "support-everywhere"


@dataclass(frozen=True)
class AccountRow:
    """An account of the list. workspaces: how many it is a member of."""

    account: Account
    workspaces: int


@dataclass(frozen=True)
class AccountDetails:
    """An account on its own page.

    memberships: those of its own, by workspace name, at most `MAX_MEMBERSHIPS`. workspaces: all, also by Support
    everywhere. sessions: those that have not ended.
    """

    account: Account
    memberships: list[Member]
    workspaces: int
    sessions: int


_CONDITIONS = {
    AccountFilter.DISABLED: Account.is_active.is_(False),
    AccountFilter.INSTANCE_ADMINS: Account.is_instance_admin,
    AccountFilter.SUPPORT_EVERYWHERE: Account.is_support_everywhere,
}
_WORKSPACES = (
    select(func.count())
    .select_from(Member)
    .join(Member.workspace)
    .where(Member.account_id == Account.id, Workspace.deleted_at.is_(None))
    .correlate(Account)
    .scalar_subquery()
)


def list_accounts(text: str, which: AccountFilter, number: int) -> NumberedPage[AccountRow]:
    """Load a page of the accounts whose name or address contains a text, by address. Executes two queries."""
    query = select(Account, _WORKSPACES).order_by(Account.email)
    if which in _CONDITIONS:
        query = query.where(_CONDITIONS[which])
    page = (
        search_page(query, number, text, Account.id, Account.name, Account.email) if text else load_page(query, number)
    )
    return NumberedPage([AccountRow(*row) for row in page.rows], page.total, page.number)


def count_accounts() -> int:
    """Count all accounts."""
    return db.session.scalar(select(func.count(Account.id))) or 0


def list_mail_domains(limit: int) -> list[str]:
    """Return the domains of the addresses of accounts that can sign in, those of most accounts first."""
    newest = select(Account.email).where(Account.is_active).order_by(Account.id.desc()).limit(MAX_ADDRESSES)
    domains = (email.rpartition("@")[2].lower() for email in db.session.scalars(newest))
    counted = Counter(domain for domain in domains if domain)
    return sorted(counted, key=lambda domain: (-counted[domain], domain))[:limit]


def has_instance_admin() -> bool:
    """Return whether an account that can sign in has the flag."""
    query = select(Account.id).where(Account.is_instance_admin, Account.is_active)
    return db.session.scalar(query.limit(1)) is not None


def load_account_details(account: Account, since: datetime) -> AccountDetails:
    """Load an account's page. since: when the oldest session that has not ended began. Executes three queries."""
    own = select(Member).join(Member.workspace)
    own = own.where(Member.account_id == account.id, Workspace.deleted_at.is_(None))
    by_name = own.where(Member.source != MemberSource.EVERYWHERE).order_by(Workspace.name, Workspace.id)
    sessions = select(func.count()).where(SignIn.account_id == account.id, SignIn.started_at > since)
    return AccountDetails(
        account=account,
        memberships=list(db.session.scalars(by_name.limit(MAX_MEMBERSHIPS))),
        workspaces=db.session.scalar(select(func.count()).select_from(own.subquery())) or 0,
        sessions=db.session.scalar(sessions) or 0,
    )
