"""Changes who may do what, and records each change in the audit trail, in the caller's transaction.

Nothing is recorded where nothing changes. by: who acts.
"""

from datetime import datetime

from webapp.audit import Action, Actor, record_account_event, record_member_event, record_workspace_event
from webapp.auth import accounts
from webapp.auth.customer_links import end_links_of
from webapp.auth.invitations import end_invitations_of
from webapp.deliveries.planned_tests import end_planned_tests_of
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace


def open_workspace(slug: str, name: str, now: datetime, by: Actor) -> Workspace:
    """Add a workspace. The caller commits."""
    workspace = accounts.add_workspace(slug, name, now)
    record_workspace_event(workspace, Action.WORKSPACE_ADDED, now, by)
    return workspace


def grant_role(
    workspace: Workspace,
    account: Account,
    role: Role,
    now: datetime,
    by: Actor,
    source: MemberSource = MemberSource.PERSON,
) -> bool:
    """Make an account a member, or change its role. The caller commits. Returns whether the role changed."""
    member = db.session.get(Member, (workspace.id, account.id), with_for_update=True)
    if member is not None and member.role is role:
        member.source = source
        return False
    roles = [member.role, role] if member else [role]
    action = Action.ROLE_CHANGED if member else Action.MEMBER_ADDED
    if member is None:
        member = Member(workspace_id=workspace.id, account_id=account.id, created_at=now, added_by=by.name)
        db.session.add(member)
    member.role, member.source = role, source
    if not role.may_test:
        end_planned_tests_of(account.id, now, workspace.id)
        end_links_of(account, workspace.id)
    if not role.may_edit:
        end_invitations_of(account.id, now, workspace.id)
    record_member_event(workspace, account, action, now, by, roles)
    return True


def remove_member(member: Member, now: datetime, by: Actor) -> None:
    """End a membership, what the member has planned, and the customers' links that it made. The account stays.

    The caller commits.
    """
    db.session.delete(member)
    record_member_event(member.workspace, member.account, Action.MEMBER_REMOVED, now, by, [member.role])
    end_planned_tests_of(member.account_id, now, member.workspace_id)
    end_invitations_of(member.account_id, now, member.workspace_id)


def set_active(account: Account, is_active: bool, now: datetime, by: Actor) -> None:
    """Allow an account to sign in, or end its right to, what it has planned and its links. Both end its sessions.

    The caller commits.
    """
    was_active = account.is_active
    ended = accounts.set_active(account, is_active)
    if not is_active:
        end_planned_tests_of(account.id, now)
        end_links_of(account)
        end_invitations_of(account.id, now)
    if was_active is not is_active:
        record_account_event(account, Action.ACCOUNT_ENABLED if is_active else Action.ACCOUNT_DISABLED, now, by)
    elif ended:
        record_account_event(account, Action.SESSIONS_ENDED, now, by)
