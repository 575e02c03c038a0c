"""The audit trail: records who did what, to what, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, Member, Workspace
from webapp.models.insertion import insert_rows
from webapp.text.names import isolate_name, quote_name


class Action(StrEnum):
    """The recorded actions, in the words of the page."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    SIGN_IN_TRIED = "tried to sign in"
    PASSWORD_CHANGED = "changed the password"  # noqa: S105
    TEST_REQUESTED = "sent a test"
    DRILL_REQUESTED = "sent a drill"
    TEST_PLANNED = "planned a test"
    PLAN_CANCELED = "canceled the planned test"
    PLAN_ENDED = "was to send a planned test"
    TEST_SEEN = "saw a test arrive"
    TEST_MISSED = "saw no test arrive"
    TEST_CONFIRMED = "recorded that the customer saw a test arrive"
    LINK_MADE = "made a link for the customer"
    LINK_REVOKED = "revoked a link for the customer"
    ADDED = "added"
    IMPORTED = "imported"
    CHANGED = "changed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"
    DRILLS_CHANGED = "changed the drills"
    NOTICE_DESTINATION_CHANGED = "changed which destination is told about problems"
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
    SESSION_ENDED = "ended a session"
    OTHER_SESSIONS_ENDED = "ended all other sessions"
    RESET_REQUESTED = "requested a link for a new password"
    RESET_LINK_MADE = "made a link for a new password"
    PASSWORD_RESET = "set a new password by a link"  # noqa: S105
    ADDRESS_CONFIRMED = "confirmed the email address"
    WORKSPACE_RENAMED = "renamed the workspace"
    WORKSPACE_DELETED = "deleted the workspace"
    INSTANCE_ADMIN_MADE = "made the account an instance admin"
    INSTANCE_ADMIN_REVOKED = "ended the rights of an instance admin"
    SUPPORT_EVERYWHERE_GRANTED = "granted support in every workspace"
    SUPPORT_EVERYWHERE_ENDED = "ended support in every workspace"
    SET_UP_LINK_MADE = "made a set-up link"
    SET_UP_LINK_USED = "used the set-up link"
    KEYS_ROTATED = "encrypted the settings anew"
    DEMO_RESET = "reset the demo"
    EVENTS_DELETED = "deleted old audit events"
    ACCOUNT_ADDED = "added the account"
    ACCOUNT_LINKED = "linked the account to single sign-on"
    ACCOUNT_UNLINKED = "ended the account's single sign-on"


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
RECIPIENT = Actor(None, "Recipient (by link)")
STRANGER = Actor(None, "Unknown visitor")
RETENTION = Actor(None, "Alertcheck")
SCHEDULE = Actor(None, "Schedule of drills")
SINGLE_SIGN_ON = Actor(None, "Single sign-on")
# Everybody who acts without an account. The audit trail can be filtered by each.
ACTORS = (COMMAND_LINE, CUSTOMER, RECIPIENT, STRANGER, SINGLE_SIGN_ON, RETENTION, SCHEDULE)

# Stands beside a test that a member's link has sent.
BY_CUSTOMER_LINK = "by the customer's link"


def find_actor(account: Account) -> Actor:
    """Return an account as the one who acts."""
    return Actor(account.id, account.name)


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

    What somebody else does to an account is recorded for the whole installation too, as is what concerns an account
    without a workspace.
    """
    actor, subject = (by, _describe(account)) if by else (find_actor(account), "")
    workspace_ids = _list_workspaces(account)
    everywhere = [*workspace_ids, *[None] * (by is not None or not workspace_ids)]
    db.session.flush()  # what was recorded before comes before
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
