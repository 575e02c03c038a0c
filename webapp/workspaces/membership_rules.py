"""Which changes of a membership are refused, and why.

- A person can neither remove nor lower the last admin who can sign in; a provider's groups can.
- A person cannot change a role that a provider's groups decide.
- An account that supports every workspace is at least support in each. Whatever it loses, that stays.
"""

from sqlalchemy import select

from webapp.app_state import current_settings
from webapp.auth.external_identities import is_linked_to
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role
from webapp.workspaces.role_sources import EVERYWHERE_ALONE, read_grant


class ChangeRefused(Exception):
    """The membership was not changed; the caller rolls back. The text is a sentence for whoever asked."""


class LastAdmin(ChangeRefused):
    """The workspace would have no admin left who can sign in."""


class ManagedByGroups(ChangeRefused):
    """A provider's groups decide this role."""


class SupportsEverywhere(ChangeRefused):
    """The account supports every workspace, and has no further rights in this one that could end."""


def is_managed_by_groups(member: Member) -> bool:
    """Return whether a provider's groups decide a role, so that a person cannot change it.

    They do as long as the account can sign in there. Otherwise a role that they gave would stay for ever.
    """
    settings = current_settings().single_sign_on
    return is_granted_by_groups(member) and settings is not None and is_linked_to(member.account, settings.issuer)


def is_granted_by_groups(member: Member) -> bool:
    """Return whether a provider's groups gave a role, alone or beside support everywhere."""
    return MemberSource.GROUPS in (member.source, member.raised_from)


def find_obstacle(member: Member, role: Role | None) -> ChangeRefused | None:
    """Return why a person cannot give a member this role, or end the membership if role is None."""
    name, workspace = member.account.name, member.workspace.name
    if is_managed_by_groups(member):
        return ManagedByGroups(f"The groups of the company account decide the role of {name}. Change the groups there.")
    if role is None and member.account.is_support_everywhere and read_grant(member) == EVERYWHERE_ALONE:
        return SupportsEverywhere(f"{name} supports every workspace. Your Alertcheck administrator can change that.")
    is_lost = member.role is Role.ADMIN and role is not Role.ADMIN
    if is_lost and not has_other_admin(member.workspace_id, member.account_id):
        return LastAdmin(f"{name} is the last admin of {workspace} who can sign in. Make somebody else an admin first.")
    return None


def list_grantable_roles(member: Member) -> list[Role]:
    """Return the roles that a person can change a member's role to."""
    lowest = Role.SUPPORT if member.account.is_support_everywhere else Role.VIEWER
    others = [role for role in Role if role is not member.role and not role.is_below(lowest)]
    return [role for role in others if find_obstacle(member, role) is None]


def has_other_admin(workspace_id: int, account_id: int) -> bool:
    """Return whether a workspace has an admin besides this account who can sign in. Holds while the lock does."""
    admins = select(Member.account_id).join(Member.account).where(Member.workspace_id == workspace_id)
    others = admins.where(Member.role == Role.ADMIN, Member.account_id != account_id, Account.is_active)
    return db.session.scalar(others.limit(1)) is not None
