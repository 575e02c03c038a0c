"""Gives people the roles of their groups, and takes them away with the groups. The mapping is the administrator's."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select

from webapp.audit import Actor
from webapp.auth.members import grant_role, remove_member
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace
from webapp.settings.single_sign_on import ROLES, SingleSignOn


def find_roles(settings: SingleSignOn, groups: Collection[str]) -> dict[str, Role]:
    """Return the role in each workspace, by its slug: the highest of all the person's groups."""
    lowest_first = sorted(settings.group_roles, key=lambda mapping: -ROLES.index(mapping.role))
    return {mapping.slug: Role(mapping.role) for mapping in lowest_first if mapping.group in groups}


def find_workspaces(roles: Mapping[str, Role]) -> dict[str, Workspace]:
    """Return the workspaces that exist, by slug."""
    query = select(Workspace).where(Workspace.slug.in_(roles)).order_by(Workspace.id)
    return {workspace.slug: workspace for workspace in db.session.scalars(query)}


def refresh_roles(account: Account, roles: Mapping[str, Role], now: datetime, by: Actor) -> None:
    """Make an account's memberships those of its groups. The caller commits.

    The groups decide in every workspace where one of them has a role, whoever gave another role before. A membership
    that a person has given stays where no group has one. The last admin may be lowered or removed: the company decides.
    """
    for member in _list_managed(account):
        if member.workspace.slug not in roles:
            remove_member(member, now, by)
    for slug, workspace in find_workspaces(roles).items():
        grant_role(workspace, account, _raise_supporter(account, roles[slug]), now, by, MemberSource.GROUPS)


def _list_managed(account: Account) -> list[Member]:
    query = select(Member).where(Member.account_id == account.id, Member.source == MemberSource.GROUPS)
    return list(db.session.scalars(query.order_by(Member.workspace_id)))


def _raise_supporter(account: Account, role: Role) -> Role:
    """Return the role, which is support at least for an account that supports every workspace."""
    return Role.SUPPORT if account.is_support_everywhere and role is Role.VIEWER else role
