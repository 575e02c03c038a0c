"""Support everywhere: a flag on an account that makes it at least support in every workspace, by a row in each.

Each change is a constant number of statements, however many workspaces there are.
"""

from datetime import datetime

from sqlalchemy import BindParameter, delete, insert, literal, null, select, update

from webapp.audit import Action, Actor, record_account_event
from webapp.auth.customer_links import end_links_without_right
from webapp.deliveries.requesting.planned_test_transitions import end_planned_tests_without_right
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace
from webapp.models.locking import lock_workspaces
from webapp.models.row_changes import change_rows
from webapp.models.types import UtcDateTime, closed_set
from webapp.models.upsert import insert_or_update

_COLUMNS = ("workspace_id", "account_id", "role", "source", "created_at", "added_by")
_ROLE = literal(Role.SUPPORT, closed_set(Role))
_SOURCE = literal(MemberSource.EVERYWHERE, closed_set(MemberSource))


def grant_support_everywhere(account: Account, now: datetime, by: Actor) -> bool:
    """Let an account support every workspace, also later ones. The caller commits. Returns whether it did not before.

    Memberships as support and admin stay as they are. A viewer's is raised, and returns with the end of the flag.
    """
    if not _set_flag(account, is_granted=True):
        return False
    own = Member.account_id == account.id
    raised = {"role": Role.SUPPORT, "source": MemberSource.EVERYWHERE, "raised_from": Member.source}
    change_rows(update(Member).where(own, Member.role == Role.VIEWER).values(raised))
    columns = (Workspace.id, literal(account.id), _ROLE, _SOURCE, _at(now), literal(by.name))
    missing = select(*columns).where(
        Workspace.deleted_at.is_(None), Workspace.id.not_in(select(Member.workspace_id).where(own))
    )
    db.session.execute(insert_or_update(Member).from_select(_COLUMNS, missing).on_conflict_do_nothing())
    record_account_event(account, Action.SUPPORT_EVERYWHERE_GRANTED, now, by)
    return True


def end_support_everywhere(account: Account, now: datetime, by: Actor) -> bool:
    """End the flag, the memberships that it made, and what was planned by them. The caller commits.

    Memberships of the account's own stay. Returns whether it had the flag.
    """
    if not _set_flag(account, is_granted=False):
        return False
    record_account_event(account, Action.SUPPORT_EVERYWHERE_ENDED, now, by)
    db.session.flush()  # into the trail of each workspace that it still supports
    made = (Member.account_id == account.id) & (Member.source == MemberSource.EVERYWHERE)
    viewer = {"role": Role.VIEWER, "source": Member.raised_from, "raised_from": null()}
    change_rows(update(Member).where(made, Member.raised_from.is_not(None)).values(viewer))
    change_rows(delete(Member).where(made))
    end_planned_tests_without_right(account.id, now)
    end_links_without_right(account.id)
    db.session.expire_all()
    return True


def add_supporters(workspace: Workspace, now: datetime, by: Actor) -> None:
    """Make everybody who supports all workspaces a member of a new one, in the caller's transaction."""
    columns = (literal(workspace.id), Account.id, _ROLE, _SOURCE, _at(now), literal(by.name))
    db.session.execute(insert(Member).from_select(_COLUMNS, select(*columns).where(Account.is_support_everywhere)))


def _set_flag(account: Account, *, is_granted: bool) -> bool:
    """Set or remove the flag. Returns whether it changed: of two who do so at once, only the first one changes it."""
    lock_workspaces()
    other = (Account.id == account.id) & (Account.is_support_everywhere.is_(not is_granted))
    is_changed = change_rows(update(Account).where(other).values(is_support_everywhere=is_granted)) > 0
    db.session.refresh(account, ["is_support_everywhere"])
    return is_changed


def _at(now: datetime) -> BindParameter[datetime]:
    return literal(now, UtcDateTime())
