"""Changes who may do what, and records each change in the audit trail, in the caller's transaction.

Nothing is recorded where nothing changes. by: who acts. source: what the change comes from. The rules:

- A change holds the workspace's lock, so two changes at once happen one after the other.
- A person can neither remove nor lower the last admin who can sign in; a provider's groups can.
- A person cannot change a role that a provider's groups decide.
- An account that supports every workspace is at least support in each. Whatever it loses, that stays.
- What a member has made ends when they are removed or lowered.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm.util import identity_key

from webapp.audit import Action, Actor, record_account_event, record_member_event
from webapp.auth import accounts
from webapp.auth.instance_admins import require_other_admin
from webapp.auth.removal_impact import end_what_was_made_by
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace
from webapp.models.locking import lock_workspace


class ChangeRefused(Exception):
    """The membership was not changed; the caller rolls back. The text is a sentence for whoever asked."""


class LastAdmin(ChangeRefused):
    """The workspace would have no admin left who can sign in."""


class ManagedByGroups(ChangeRefused):
    """A provider's groups decide this role."""


class SupportsEverywhere(ChangeRefused):
    """The account supports every workspace, and has no further rights in this one that could end."""


def lock_member(workspace: Workspace, account: Account) -> Member | None:
    """Lock a workspace's memberships until the end of the transaction, and read one as it is now."""
    db.session.flush()
    lock_workspace(workspace)
    db.session.refresh(account, ("is_active", "is_support_everywhere"))
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

    Whoever changes several workspaces does it in the order of their ids. The source *everywhere* never lowers a role.
    Raises `LastAdmin` and `ManagedByGroups`, and `ObjectDeletedError` if the workspace is gone.
    """
    member = lock_member(workspace, account)
    if member is None:
        _add_member(workspace, account, _apply_floor(account, role, source), now, by)
        return True
    if source is MemberSource.EVERYWHERE and member.role.may_test:
        return False
    if source is MemberSource.PERSON and member.source is MemberSource.GROUPS and member.role is role:
        return False
    _require_changeable(member, role, source)
    return _change(member, *_apply_floor(account, role, source), now, by)


def remove_member(member: Member, now: datetime, by: Actor, source: MemberSource = MemberSource.PERSON) -> bool:
    """End a membership, and what the member has made. The account stays. The caller commits.

    An account that supports every workspace remains support. The source *everywhere* ends only what it has made.
    Returns whether something changed: not if somebody else has removed the member meanwhile.
    Raises `LastAdmin`, `ManagedByGroups` and `SupportsEverywhere`.
    """
    workspace, account = member.workspace, member.account
    found = lock_member(workspace, account)
    if found is None or (source is MemberSource.EVERYWHERE and found.source is not source):
        return False
    _require_changeable(found, None, source)
    if account.is_support_everywhere:
        return _fall_back(found, now, by, source)
    db.session.delete(found)
    record_member_event(workspace, account, Action.MEMBER_REMOVED, now, by, [_describe(found)])
    end_what_was_made_by(account, now, workspace.id)
    return True


def set_active(account: Account, is_active: bool, now: datetime, by: Actor) -> list[Workspace]:
    """Allow an account to sign in, or end its right to, and what it has made. Both end its sessions.

    The caller commits. Returns the workspaces that this leaves without an admin who can sign in. That is allowed: an
    account that somebody has taken over must not stay because nobody has named another admin yet.
    Raises `LastInstanceAdmin` instead of disabling the last one.
    """
    if not is_active:
        require_other_admin(account)
    left = [] if is_active else _lock_workspaces_without_other_admin(account)
    was_active = account.is_active
    ended = accounts.set_active(account, is_active)
    if not is_active:
        end_what_was_made_by(account, now)
    if was_active is not is_active:
        record_account_event(account, Action.ACCOUNT_ENABLED if is_active else Action.ACCOUNT_DISABLED, now, by)
    elif ended:
        record_account_event(account, Action.SESSIONS_ENDED, now, by)
    return left


def has_other_admin(workspace_id: int, account_id: int) -> bool:
    """Return whether a workspace has an admin besides this account who can sign in. Lasts as long as the lock."""
    admins = select(Member.account_id).join(Member.account).where(Member.workspace_id == workspace_id)
    others = admins.where(Member.role == Role.ADMIN, Member.account_id != account_id, Account.is_active)
    return db.session.scalar(others.limit(1)) is not None


def _lock_workspaces_without_other_admin(account: Account) -> list[Workspace]:
    mine = select(Workspace).join(Member).where(Member.account_id == account.id).order_by(Workspace.id)
    administered = []
    for workspace in db.session.scalars(mine).all():
        member = lock_member(workspace, account)
        if member is not None and member.role is Role.ADMIN and not has_other_admin(workspace.id, account.id):
            administered.append(workspace)
    return administered


def _require_changeable(member: Member, role: Role | None, source: MemberSource) -> None:
    """Raise the reason why a membership cannot get this role, or end if role is None."""
    name, workspace = member.account.name, member.workspace.name
    if source is MemberSource.GROUPS:
        return
    if source is MemberSource.PERSON and member.source is MemberSource.GROUPS:
        raise ManagedByGroups(f"The groups of the company account decide the role of {name}. Change the groups there.")
    is_lost = member.role is Role.ADMIN and role is not Role.ADMIN
    if is_lost and not has_other_admin(member.workspace_id, member.account_id):
        raise LastAdmin(f"{name} is the last admin of {workspace} who can sign in. Make somebody else an admin first.")


def _apply_floor(account: Account, role: Role, source: MemberSource) -> tuple[Role, MemberSource]:
    """Return the role that an account gets: at least support if it supports every workspace."""
    if account.is_support_everywhere and role.is_below(Role.SUPPORT):
        return Role.SUPPORT, MemberSource.EVERYWHERE
    return role, source


def _fall_back(member: Member, now: datetime, by: Actor, source: MemberSource) -> bool:
    """End all rights but those of an account that supports every workspace."""
    if member.source is not MemberSource.EVERYWHERE:
        _change(member, Role.SUPPORT, MemberSource.EVERYWHERE, now, by)
        end_what_was_made_by(member.account, now, member.workspace_id)
        return True
    if source is MemberSource.PERSON:
        name = member.account.name
        raise SupportsEverywhere(f"{name} supports every workspace. Your Alertcheck administrator can change that.")
    return False


def _add_member(
    workspace: Workspace, account: Account, granted: tuple[Role, MemberSource], now: datetime, by: Actor
) -> None:
    role, source = granted
    member = Member(workspace_id=workspace.id, account_id=account.id, role=role, source=source)
    member.created_at, member.added_by = now, by.name
    db.session.add(member)
    record_member_event(workspace, account, Action.MEMBER_ADDED, now, by, [_describe(member)])


def _change(member: Member, role: Role, source: MemberSource, now: datetime, by: Actor) -> bool:
    if (member.role, member.source) == (role, source):
        return False
    before, is_lowered = _describe(member), role.is_below(member.role)
    member.role, member.source = role, source
    record_member_event(member.workspace, member.account, Action.ROLE_CHANGED, now, by, [before, _describe(member)])
    if is_lowered:
        end_what_was_made_by(member.account, now, member.workspace_id)
    return True


def _describe(member: Member) -> str:
    """Return a role as the audit trail names it, with its source unless that is a person."""
    grounds = {MemberSource.PERSON: "", MemberSource.GROUPS: " by groups", MemberSource.EVERYWHERE: " everywhere"}
    return f"{member.role}{grounds[member.source]}"
