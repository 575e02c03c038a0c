"""Changes memberships for an admin of the workspace, and commits. Accounts are not an admin's to change.

The admin's own rights are checked again once nobody else can change them: two admins may remove each other at once.
"""

from datetime import datetime

from sqlalchemy import select

from webapp.audit import Actor
from webapp.auth.access import Visit
from webapp.extensions import db
from webapp.models import Account, Member, Role
from webapp.workspaces.membership_changes import grant_role, lock_member, remove_member


class NotAdmin(Exception):
    """Whoever asks is no longer an admin. Nothing was changed."""


class MemberGone(Exception):
    """Somebody else has removed the member. Nothing was changed."""


def change_role(visit: Visit, account: Account, role: Role, now: datetime) -> bool:
    """Change a member's role. Returns whether it changed. Raises `ChangeRefused`, `NotAdmin` and `MemberGone`."""
    _lock_member(visit, account)
    changed = grant_role(visit.workspace, account, role, now, Actor(visit.account.id, visit.account.name))
    db.session.commit()
    return changed


def end_membership(visit: Visit, account: Account, now: datetime) -> None:
    """Remove a member. Raises `ChangeRefused`, `NotAdmin` and `MemberGone`."""
    member = _lock_member(visit, account)
    remove_member(member, now, Actor(visit.account.id, visit.account.name))
    db.session.commit()


def _lock_member(visit: Visit, account: Account) -> Member:
    member = lock_member(visit.workspace, account)
    mine = select(Member.role).join(Member.account).where(Member.workspace_id == visit.workspace.id)
    if db.session.scalar(mine.where(Member.account_id == visit.account.id, Account.is_active)) is not Role.ADMIN:
        raise NotAdmin
    if member is None:
        raise MemberGone
    return member
