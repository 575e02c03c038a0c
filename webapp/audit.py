"""The audit trail: who did what to which, and when."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, Member


class Action(StrEnum):
    """What can be done, in the words the page shows."""

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
    """How it went."""

    DONE = "done"
    REFUSED = "refused"


def record_about(
    destination: AlertDestination, account: Account, action: Action, now: datetime, changed: Sequence[str] = ()
) -> None:
    """Note what was done to a destination, in the transaction that does it. changed: names of fields, never values."""
    subject = f"{destination.name} (destination {destination.id})"
    _add(destination.workspace_id, account, action, subject, now, changed, destination_id=destination.id)


def record_of(account: Account, action: Action, now: datetime, result: Result = Result.DONE) -> None:
    """Note what someone did with their account, in each of their workspaces, in the transaction that does it."""
    for workspace_id in db.session.scalars(select(Member.workspace_id).where(Member.account_id == account.id)):
        _add(workspace_id, account, action, "", now, (), result)


def list_events(workspace_id: int, before_id: int | None = None, limit: int = 50) -> Sequence[AuditEvent]:
    """Fetch a workspace's newest events, the newest first; before_id: those older than this one."""
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
