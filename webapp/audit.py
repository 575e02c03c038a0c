"""The audit trail: records who did what, to what, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, Member, Workspace


class Action(StrEnum):
    """The recorded actions, in the words of the page."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    SIGN_IN_TRIED = "tried to sign in"
    PASSWORD_CHANGED = "changed the password"  # noqa: S105
    TEST_REQUESTED = "sent a test"
    TEST_PLANNED = "planned a test"
    PLAN_CANCELED = "canceled the planned test"
    PLAN_ENDED = "was to send a planned test"
    TEST_SEEN = "saw a test arrive"
    TEST_MISSED = "saw no test arrive"
    TEST_CONFIRMED = "recorded that the customer saw a test arrive"
    LINK_MADE = "made a link for the customer"
    LINK_REVOKED = "revoked a link for the customer"
    ADDED = "added"
    CHANGED = "changed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"
    WORKSPACE_ADDED = "added the workspace"
    MEMBER_ADDED = "added the member"
    MEMBER_REMOVED = "removed the member"
    ROLE_CHANGED = "changed the role"
    INVITED = "invited"
    INVITATION_RENEWED = "renewed the invitation"
    INVITATION_REVOKED = "revoked the invitation"
    INVITATION_ACCEPTED = "accepted the invitation"
    PASSWORD_SET = "set the password"  # noqa: S105
    ACCOUNT_ENABLED = "enabled the account"
    ACCOUNT_DISABLED = "disabled the account"
    SESSIONS_ENDED = "ended all sessions"
    WORKSPACE_RENAMED = "renamed the workspace"
    WORKSPACE_DELETED = "deleted the workspace"
    INSTANCE_ADMIN_MADE = "made the account an instance admin"
    INSTANCE_ADMIN_REVOKED = "ended the rights of an instance admin"
    SUPPORT_EVERYWHERE_GRANTED = "granted support in every workspace"
    SUPPORT_EVERYWHERE_ENDED = "ended support in every workspace"


class Result(StrEnum):
    """The result of an action."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class Actor:
    """Who acts. account_id: None if not a signed-in account."""

    account_id: int | None
    name: str


COMMAND_LINE = Actor(None, "Command line")
CUSTOMER = Actor(None, "Customer (by link)")
_STRANGER = Actor(None, "Unknown visitor")

# Stands beside a test that a member's link has sent.
BY_CUSTOMER_LINK = "by the customer's link"


def record_destination_event(
    destination: AlertDestination,
    by: Account | Actor,
    action: Action,
    now: datetime,
    changed: Sequence[str] = (),
    result: Result = Result.DONE,
) -> None:
    """Record an action on a destination, in the caller's transaction. changed: names of fields, never values."""
    subject = f"{destination.name} (destination {destination.id})"
    actor = by if isinstance(by, Actor) else Actor(by.id, by.name)
    _add(destination.workspace_id, actor, action, subject, now, changed, result, destination.id)


def record_account_event(account: Account, action: Action, now: datetime, by: Actor | None = None) -> None:
    """Record an action on an account, in each of its workspaces, in the caller's transaction. by: None for oneself.

    What somebody else does to an account is recorded for the whole installation too.
    """
    actor, subject = (by, _describe(account)) if by else (Actor(account.id, account.name), "")
    everywhere = [*_list_workspaces(account), *[None] * (by is not None)]
    if everywhere:
        db.session.flush()  # what was recorded before comes before
        # One statement, because who supports every workspace may have a thousand.
        event = _describe_event(None, actor, action, subject, now)
        db.session.execute(insert(AuditEvent), [event | {"workspace_id": found} for found in everywhere])


def record_refused_sign_ins(account: Account, now: datetime, window: timedelta, count: int | None) -> None:
    """Record in each workspace of an account that sign-ins are refused, in the caller's transaction.

    count: how many there were, at the end of a window of time; None at its start.
    """
    times = f"{count} {'time' if count == 1 else 'times'} in {window // timedelta(minutes=1)} minutes"
    for workspace_id in _list_workspaces(account):
        changed = [] if count is None else [times]
        _add(workspace_id, _STRANGER, Action.SIGN_IN_TRIED, _describe(account), now, changed, Result.REFUSED)


def record_member_event(
    workspace: Workspace, account: Account, action: Action, now: datetime, by: Actor, roles: Sequence[str]
) -> None:
    """Record a change of a membership, in the caller's transaction. roles: the new one, after the old one if any."""
    _add(workspace.id, by, action, _describe(account), now, [" → ".join(roles)])


def record_invitation_event(
    workspace_id: int, subject: str, action: Action, now: datetime, by: Actor, changed: Sequence[str]
) -> None:
    """Record an action on an invitation to a workspace, in the caller's transaction. changed: its role."""
    _add(workspace_id, by, action, subject, now, changed)


def record_workspace_event(
    workspace: Workspace, action: Action, now: datetime, by: Actor, changed: Sequence[str] = ()
) -> None:
    """Record an action on a workspace, in the caller's transaction."""
    _add(workspace.id, by, action, workspace.name, now, changed)


def record_instance_event(action: Action, subject: str, now: datetime, by: Actor, changed: Sequence[str] = ()) -> None:
    """Record an action that concerns the whole installation, in the caller's transaction."""
    _add(None, by, action, subject, now, changed)


def list_events(workspace_id: int, before_id: int | None = None, limit: int = 50) -> Sequence[AuditEvent]:
    """Fetch a workspace's events, newest first. before_id: only events older than this one."""
    query = select(AuditEvent).where(AuditEvent.workspace_id == workspace_id)
    if before_id is not None:
        query = query.where(AuditEvent.id < before_id)
    return db.session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit)).all()


def _list_workspaces(account: Account) -> Sequence[int]:
    query = select(Member.workspace_id).where(Member.account_id == account.id).order_by(Member.workspace_id)
    return db.session.scalars(query).all()


def _describe(account: Account) -> str:
    return f"{account.name} (account {account.id})"


def _add(
    workspace_id: int | None,
    actor: Actor,
    action: Action,
    subject: str,
    now: datetime,
    changed: Sequence[str] = (),
    result: Result = Result.DONE,
    destination_id: int | None = None,
) -> None:
    event = _describe_event(workspace_id, actor, action, subject, now, changed, result, destination_id)
    db.session.add(AuditEvent(**event))


def _describe_event(
    workspace_id: int | None,
    actor: Actor,
    action: Action,
    subject: str,
    now: datetime,
    changed: Sequence[str] = (),
    result: Result = Result.DONE,
    destination_id: int | None = None,
) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "account_id": actor.account_id,
        "account_name": actor.name,
        "action": action.value,
        "subject": subject,
        "result": result.value,
        "changed": list(changed),
        "happened_at": now,
        "destination_id": destination_id,
    }
