"""Gives people the roles of their groups, and takes them away with the groups. The mapping is the administrator's."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select

from webapp.audit import Actor
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace
from webapp.settings.single_sign_on import ROLES, SingleSignOn
from webapp.workspaces.membership_changes import grant_role, remove_member


def find_roles(settings: SingleSignOn, groups: Collection[str]) -> dict[str, Role]:
    """Return the role in each workspace, by its slug: the highest of all the person's groups."""
    lowest_first = sorted(settings.group_roles, key=lambda mapping: -ROLES.index(mapping.role))
    return {mapping.slug: Role(mapping.role) for mapping in lowest_first if mapping.group in groups}


def find_workspaces(slugs: Collection[str]) -> list[Workspace]:
    """Return those of the workspaces that exist, in the order of their ids."""
    query = select(Workspace).where(Workspace.slug.in_(slugs), Workspace.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(Workspace.id)))


def refresh_roles(account: Account, roles: Mapping[str, Role], now: datetime, by: Actor) -> None:
    """Make an account's memberships those of its groups. The caller commits.

    The groups decide in every workspace where one of them has a role, whoever gave another role before. A membership
    that a person has given stays where no group has one. The last admin may be lowered or removed: the company decides.
    Raises `ObjectDeletedError` if a workspace is deleted meanwhile.
    """
    managed = {member.workspace_id: member for member in _list_managed(account)}
    granted = {workspace.id: workspace for workspace in find_workspaces(roles)}
    for workspace_id in sorted(managed.keys() | granted.keys()):
        workspace = granted.get(workspace_id)
        if workspace is None:
            remove_member(managed[workspace_id], now, by, MemberSource.GROUPS)
        else:
            grant_role(workspace, account, roles[workspace.slug], now, by, MemberSource.GROUPS)


def _list_managed(account: Account) -> list[Member]:
    query = select(Member).where(Member.account_id == account.id, Member.source == MemberSource.GROUPS)
    return list(db.session.scalars(query))
