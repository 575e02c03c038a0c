"""Disables and enables accounts, with what that ends in their workspaces, in the caller's transaction."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.audit import Action, Actor, record_account_event
from webapp.auth import accounts
from webapp.auth.instance_admins import require_other_admin
from webapp.extensions import db
from webapp.models import Account, Member, Role, Workspace
from webapp.workspaces.membership_changes import lock_member
from webapp.workspaces.membership_rules import has_other_admin
from webapp.workspaces.removal_effects import end_what_was_made_by


def set_active(account: Account, is_active: bool, now: datetime, by: Actor) -> list[Workspace]:
    """Let an account sign in, or no longer, which also ends what it has made. Either way, its sessions end.

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


def _lock_workspaces_without_other_admin(account: Account) -> list[Workspace]:
    mine = select(Workspace).join(Member).where(Member.account_id == account.id, Workspace.deleted_at.is_(None))
    found = []
    for workspace in db.session.scalars(mine.order_by(Workspace.id)).all():
        with suppress(ObjectDeletedError):  # the workspace was just deleted, which must not keep the account enabled
            member = lock_member(workspace, account)
            if member is not None and member.role is Role.ADMIN and not has_other_admin(workspace.id, account.id):
                found.append(workspace)
    return found
