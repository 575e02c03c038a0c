"""Locks a row, or the list of workspaces, so that a check on it still holds when the transaction commits."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, inspect, select, text, true, update
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.database.query_plans import PLAN_ONCE
from webapp.extensions import db
from webapp.models import Account, AlertDestination, DestinationProblem, Workspace
from webapp.models.id_list import IsOneOf
from webapp.models.row_changes import change_rows

_IS_IN_OPEN_WORKSPACE = exists().where(Workspace.id == AlertDestination.workspace_id, Workspace.deleted_at.is_(None))


# Built once: each takes longer to build than to execute. The lock is the one that an update takes, so what refers to a
# destination, such as a real alert, does not wait for it.
_ARE_CHOSEN = IsOneOf(AlertDestination.id, "destination_ids")
_LOCK_DESTINATIONS = (
    select(AlertDestination)
    .where(_ARE_CHOSEN, _IS_IN_OPEN_WORKSPACE)
    .order_by(AlertDestination.id)
    .with_for_update(key_share=True, of=AlertDestination)
    .execution_options(populate_existing=True, **{PLAN_ONCE: True})
)
_BEGIN_TO_WRITE = (
    update(AlertDestination)
    .where(_ARE_CHOSEN)
    .values(id=AlertDestination.id)
    .execution_options(synchronize_session=False)
)


def lock_destination(destination: AlertDestination) -> None:
    """Lock a destination's row until the end of the transaction, and reload it. See `lock_destinations`."""
    lock_destinations([destination])


def lock_destinations(destinations: Sequence[AlertDestination]) -> None:
    """Lock the rows of destinations until the end of the transaction, in the order of their ids, and reload them.

    Raises `ObjectDeletedError` if a row or its workspace is gone, as it is after a reset of the demo.
    """
    chosen = {"destination_ids": [destination.id for destination in destinations]}
    if db.engine.dialect.name == "sqlite":  # it has no locks of rows, but one writer
        db.session.execute(_BEGIN_TO_WRITE, chosen)
    locked = set(db.session.scalars(_LOCK_DESTINATIONS, chosen))
    for destination in destinations:
        if destination not in locked:
            raise ObjectDeletedError(inspect(destination))


def lock_workspace(workspace: Workspace) -> None:
    """Lock a workspace's row until the end of the transaction. Whoever changes its members holds this lock.

    Presses and reads do not wait for it. Whoever locks several workspaces does it in the order of their ids.
    Raises `ObjectDeletedError` if the workspace is gone.
    """
    _lock(workspace, Workspace.deleted_at.is_(None))


def lock_account(account: Account) -> None:
    """Lock an account's row until the end of the transaction, and reload what decides about its rights.

    Whoever locks workspaces too locks the account first.
    """
    _lock(account, true())
    db.session.refresh(account, ["is_active", "is_support_everywhere"])


def lock_workspaces() -> None:
    """Make whoever else opens or deletes a workspace, or makes an account support all, wait for this transaction.

    Without it, a workspace and a supporter of every workspace that are added at once would not know of each other.
    Reads go on.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE used_slugs IN SHARE ROW EXCLUSIVE MODE"))
    else:  # SQLite has one writer
        db.session.execute(text("UPDATE used_slugs SET name = name WHERE slug = ''"))


def lock_problems(condition: ColumnElement[bool]) -> Sequence[int]:
    """Lock the problems that meet a condition, and return their ids.

    They are locked in the order of their destinations, as by everybody who locks several: two transactions that locked
    them in two orders would wait for each other. On SQLite, which has one writer, nothing needs a lock.
    """
    ordered = select(DestinationProblem.id).where(condition)
    ordered = ordered.order_by(DestinationProblem.alert_destination_id, DestinationProblem.id)
    return db.session.scalars(ordered.with_for_update(key_share=True)).all()


def _lock(row: Workspace | Account, condition: ColumnElement[bool]) -> None:
    # An update that changes nothing is the only row lock that works on both SQLite and PostgreSQL.
    table = type(row)
    if not change_rows(update(table).where(table.id == row.id, condition).values(id=table.id)):
        raise ObjectDeletedError(inspect(row))
