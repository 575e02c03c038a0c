"""Changes who may do what, and records each change in the audit trail, in the caller's transaction.

Nothing is recorded where nothing changes. by: who acts. source: what the change comes from. Besides the rules of
`membership_rules`:

- A change holds the locks of the account and of the workspace, so two changes at once happen one after the other.
- What a member has made ends when they are removed or lowered.
"""

from datetime import datetime

from sqlalchemy.orm.util import identity_key

from webapp.audit import Action, Actor, record_member_event
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace
from webapp.models.locking import lock_account, lock_workspace
from webapp.workspaces.membership_rules import find_obstacle, is_granted_by_groups, is_managed_by_groups
from webapp.workspaces.removal_effects import end_what_was_made_by
from webapp.workspaces.role_sources import EVERYWHERE_ALONE, Grant, find_grant, read_grant, set_grant


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
    if found is None or (source is MemberSource.GROUPS and not is_granted_by_groups(found)):
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
