"""Changes who may do what, and records each change in the audit trail, in the caller's transaction.

Nothing is recorded where nothing changes. by: who acts. source: what the change comes from. The rules:

- A change holds the locks of the account and of the workspace, so two changes at once happen one after the other.
- A person can neither remove nor lower the last admin who can sign in; a provider's groups can.
- A person cannot change a role that a provider's groups decide.
- An account that supports every workspace is at least support in each. Whatever it loses, that stays.
- What a member has made ends when they are removed or lowered.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm.util import identity_key

from webapp.app_state import current_settings
from webapp.audit import Action, Actor, record_member_event
from webapp.auth.external_identities import is_linked_to
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace
from webapp.models.locking import lock_account, lock_workspace
from webapp.workspaces.removal_effects import end_what_was_made_by
from webapp.workspaces.role_sources import EVERYWHERE_ALONE, Grant, find_grant, read_grant, set_grant


class ChangeRefused(Exception):
    """The membership was not changed; the caller rolls back. The text is a sentence for whoever asked."""


class LastAdmin(ChangeRefused):
    """The workspace would have no admin left who can sign in."""


class ManagedByGroups(ChangeRefused):
    """A provider's groups decide this role."""


class SupportsEverywhere(ChangeRefused):
    """The account supports every workspace, and has no further rights in this one that could end."""


def set_role(workspace: Workspace, account: Account, role: Role) -> None:
    """Make an account a member, or change its role, and check and record nothing: for the demo's beginning.

    The caller commits.
    """
    db.session.merge(Member(workspace_id=workspace.id, account_id=account.id, role=role))


def lock_member(workspace: Workspace, account: Account) -> Member | None:
    """Lock an account and a workspace's memberships until the end of the transaction, and read one as it is now."""
    db.session.flush()
    lock_account(account)
    lock_workspace(workspace)
    key = (workspace.id, account.id)
    member = db.session.get(Member, key, populate_existing=True)
    if member is None and (removed := db.session.identity_map.get(identity_key(Member, key))) is not None:
        db.session.expunge(removed)  # otherwise a new membership would conflict with it
    return member


def grant_role(
    workspace: Workspace,
    account: Account,
    role: Role,
    now: datetime,
    by: Actor,
    source: MemberSource = MemberSource.PERSON,
) -> bool:
    """Make an account a member, or change its role. The caller commits. Returns whether something changed.

    source: person or groups. Whoever changes several workspaces does it in the order of their ids.
    Raises `LastAdmin` and `ManagedByGroups`, and `ObjectDeletedError` if the workspace is gone.
    """
    member = lock_member(workspace, account)
    grant = find_grant(account, role, source)
    if member is None:
        _add_member(workspace, account, grant, now, by)
        return True
    is_person = source is MemberSource.PERSON
    if is_person and is_managed_by_groups(member) and member.role is role:
        return False
    _require_changeable(member, role, source)
    return _change(member, grant, now, by)


def remove_member(member: Member, now: datetime, by: Actor, source: MemberSource = MemberSource.PERSON) -> bool:
    """End a membership, and what the member has made. The account stays. The caller commits.

    source: person or groups. Groups end only what groups have granted.
    An account that supports every workspace remains support.
    Returns whether something changed: not if somebody else has removed the member meanwhile.
    Raises `LastAdmin`, `ManagedByGroups` and `SupportsEverywhere`.
    """
    workspace, account = member.workspace, member.account
    found = lock_member(workspace, account)
    if found is None or (source is MemberSource.GROUPS and not _is_granted_by_groups(found)):
        return False
    _require_changeable(found, None, source)
    before = read_grant(found)
    if account.is_support_everywhere:
        _change(found, EVERYWHERE_ALONE, now, by)
    else:
        db.session.delete(found)
        record_member_event(workspace, account, Action.MEMBER_REMOVED, now, by, [str(before)])
    end_what_was_made_by(account, now, workspace.id)
    return True


def is_managed_by_groups(member: Member) -> bool:
    """Return whether a provider's groups decide a role, so that a person cannot change it.

    They do as long as the account can sign in there. Otherwise a role that they gave would stay for ever.
    """
    settings = current_settings().single_sign_on
    return _is_granted_by_groups(member) and settings is not None and is_linked_to(member.account, settings.issuer)


def _is_granted_by_groups(member: Member) -> bool:
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
    """Return whether a workspace has an admin besides this account who can sign in. Lasts as long as the lock."""
    admins = select(Member.account_id).join(Member.account).where(Member.workspace_id == workspace_id)
    others = admins.where(Member.role == Role.ADMIN, Member.account_id != account_id, Account.is_active)
    return db.session.scalar(others.limit(1)) is not None


def _require_changeable(member: Member, role: Role | None, source: MemberSource) -> None:
    obstacle = find_obstacle(member, role)
    if source is MemberSource.PERSON and obstacle:
        raise obstacle


def _add_member(workspace: Workspace, account: Account, grant: Grant, now: datetime, by: Actor) -> None:
    member = Member(workspace_id=workspace.id, account_id=account.id, created_at=now, added_by=by.name)
    set_grant(member, grant)
    db.session.add(member)
    record_member_event(workspace, account, Action.MEMBER_ADDED, now, by, [str(grant)])


def _change(member: Member, grant: Grant, now: datetime, by: Actor) -> bool:
    before = read_grant(member)
    if before == grant:
        return False
    set_grant(member, grant)
    roles = [str(before), str(grant)]
    record_member_event(member.workspace, member.account, Action.ROLE_CHANGED, now, by, roles)
    if grant.role.is_below(before.role):
        end_what_was_made_by(member.account, now, member.workspace_id)
    return True
