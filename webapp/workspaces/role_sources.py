"""Where a member's role comes from: a person, groups or support everywhere.

What each role may do is in `webapp.models.role_permissions`.
"""

from typing import NamedTuple

from webapp.models import Account, Member, MemberSource, Role

_GROUNDS = {MemberSource.PERSON: "", MemberSource.GROUPS: " by groups", MemberSource.EVERYWHERE: " everywhere"}


class Grant(NamedTuple):
    """The columns of a membership that say what it allows, and why. See `Member`."""

    role: Role
    source: MemberSource
    raised_from: MemberSource | None = None

    def __str__(self) -> str:
        """Return the role as the audit trail names it, with its source unless that is a person."""
        viewer = f", otherwise viewer{_GROUNDS[self.raised_from]}" if self.raised_from else ""
        return f"{self.role}{_GROUNDS[self.source]}{viewer}"


EVERYWHERE_ALONE = Grant(Role.SUPPORT, MemberSource.EVERYWHERE)


def find_grant(account: Account, role: Role, source: MemberSource) -> Grant:
    """Return what an account gets: at least support if it supports every workspace, for as long as it does."""
    if account.is_support_everywhere and role is Role.VIEWER:
        return EVERYWHERE_ALONE._replace(raised_from=source)
    return Grant(role, source)


def read_grant(member: Member) -> Grant:
    """Return what a member has."""
    return Grant(member.role, member.source, member.raised_from)


def set_grant(member: Member, grant: Grant) -> None:
    """Store what a member has."""
    member.role, member.source = grant.role, grant.source
    member.raised_from = grant.raised_from  # after the others, whose change resets it
