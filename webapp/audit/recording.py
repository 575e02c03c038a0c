"""Records an event in the audit trail: who did what, to what, and when. The caller commits."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from webapp.audit.actions import Action, Result
from webapp.audit.actors import STRANGER, Actor, find_actor
from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, Member, Workspace
from webapp.models.insertion import insert_rows
from webapp.text.names import isolate_name, quote_name


def record_destination_event(
    destination: AlertDestination,
    by: Account | Actor,
    action: Action,
    now: datetime,
    changed: Sequence[str] = (),
    result: Result = Result.DONE,
) -> None:
    """Record an action on a destination, in the caller's transaction. changed: names of settings, never values."""
    db.session.add(AuditEvent(**_describe_destination_event(destination, by, action, now, changed, result)))


def record_destination_events(
    events: Iterable[tuple[AlertDestination, Action, datetime, Sequence[str]]], by: Account | Actor
) -> None:
    """Record an action on each of several destinations, with one statement, in the caller's transaction.

    events: the destination, the action, its time and `changed`, as for `record_destination_event`.
    """
    described = [
        _describe_destination_event(destination, by, action, now, changed)
        for destination, action, now, changed in events
    ]
    insert_rows(AuditEvent, described, AuditEvent.id)


def _describe_destination_event(
    destination: AlertDestination,
    by: Account | Actor,
    action: Action,
    now: datetime,
    changed: Sequence[str],
    result: Result = Result.DONE,
) -> dict[str, Any]:
    subject = f"{destination.name} (destination {destination.id})"
    actor = by if isinstance(by, Actor) else find_actor(by)
    return _describe_event(destination.workspace_id, actor, action, subject, now, changed, result, destination.id)


def record_account_event(
    account: Account, action: Action, now: datetime, by: Actor | None = None, changed: Sequence[str] = ()
) -> None:
    """Record an action on an account, in each of its workspaces, in the caller's transaction. by: None for oneself.

    Also recorded for the whole installation if somebody else did it, or if the account has no workspace.
    """
    actor, subject = (by, _describe(account)) if by else (find_actor(account), "")
    workspace_ids = _list_workspaces(account)
    everywhere = [*workspace_ids, *[None] * (by is not None or not workspace_ids)]
    db.session.flush()  # so that events recorded earlier are inserted first
    # One statement, because who supports every workspace may have a thousand.
    event = _describe_event(None, actor, action, subject, now, changed)
    db.session.execute(insert(AuditEvent), [event | {"workspace_id": found} for found in everywhere])


def record_refused_sign_ins(account: Account, now: datetime, window: timedelta, count: int | None) -> None:
    """Record in each workspace of an account that sign-ins are refused, in the caller's transaction.

    count: how many there were, at the end of a window of time; None at its start.
    """
    times = f"{count} {'time' if count == 1 else 'times'} in {window // timedelta(minutes=1)} minutes"
    for workspace_id in _list_workspaces(account) or (None,):
        changed = [] if count is None else [times]
        _add(workspace_id, STRANGER, Action.SIGN_IN_TRIED, _describe(account), now, changed, Result.REFUSED)


def record_member_event(
    workspace: Workspace, account: Account, action: Action, now: datetime, by: Actor, roles: Sequence[str]
) -> None:
    """Record a change of a membership, in the caller's transaction.

    roles: the old one, if there was one, then the new one.
    """
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


def describe_change(what: str, before: str, after: str) -> str:
    """Describe a change of something that may be shown, such as a name: before and after."""
    return f"{what} {isolate_name(quote_name(before))} → {isolate_name(quote_name(after))}"


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
) -> None:
    event = _describe_event(workspace_id, actor, action, subject, now, changed, result)
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
