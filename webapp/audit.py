"""The audit trail: records who did what, to what, and when."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, Member


class Action(StrEnum):
    """The recorded actions, in the words of the page."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    PASSWORD_CHANGED = "changed the password"  # noqa: S105
    TEST_REQUESTED = "sent a test"
    TEST_SEEN = "saw a test arrive"
    TEST_MISSED = "saw no test arrive"
    ADDED = "added"
    CHANGED = "changed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"


class Result(StrEnum):
    """The result of an action."""

    DONE = "done"
    REFUSED = "refused"


def record_destination_event(
    destination: AlertDestination, account: Account, action: Action, now: datetime, changed: Sequence[str] = ()
) -> None:
    """Record an action on a destination, in the caller's transaction. changed: names of fields, never values."""
    subject = f"{destination.name} (destination {destination.id})"
    _add(destination.workspace_id, account, action, subject, now, changed, destination_id=destination.id)


def record_account_event(account: Account, action: Action, now: datetime, result: Result = Result.DONE) -> None:
    """Record an action on one's own account, in each of its workspaces, in the caller's transaction."""
    for workspace_id in db.session.scalars(select(Member.workspace_id).where(Member.account_id == account.id)):
        _add(workspace_id, account, action, "", now, (), result)


def list_events(workspace_id: int, before_id: int | None = None, limit: int = 50) -> Sequence[AuditEvent]:
    """Fetch a workspace's events, newest first. before_id: only events older than this one."""
    query = select(AuditEvent).where(AuditEvent.workspace_id == workspace_id)
    if before_id is not None:
        query = query.where(AuditEvent.id < before_id)
    return db.session.scalars(query.order_by(AuditEvent.id.desc()).limit(limit)).all()


def _add(
    workspace_id: int,
    account: Account,
    action: Action,
    subject: str,
    now: datetime,
    changed: Sequence[str],
    result: Result = Result.DONE,
    destination_id: int | None = None,
) -> None:
    db.session.add(
        AuditEvent(
            workspace_id=workspace_id,
            account_id=account.id,
            account_name=account.name,
            action=action.value,
            subject=subject,
            result=result.value,
            changed=list(changed),
            happened_at=now,
            destination_id=destination_id,
        )
    )
