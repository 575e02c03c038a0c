"""Records the results of several attempts in one transaction.

A row that is locked or was changed meanwhile is left to the record of a single attempt.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Update, bindparam, select, update

from webapp.deliveries.attempts.claiming import Attempt
from webapp.deliveries.attempts.group_commit import ALONE, Alone
from webapp.deliveries.attempts.recording import EndedAttempt
from webapp.deliveries.states import IS_BEING_SENT
from webapp.deliveries.transitions import (
    COMPLETION_COLUMNS,
    list_columns,
    publish_completion,
)
from webapp.extensions import db
from webapp.models import AlertDelivery

# On PostgreSQL, locked rows are left out: the group waits for nobody. SQLite has one writer and ignores this.
_RUNNING = (
    select(AlertDelivery.id, AlertDelivery.attempt_started_at, AlertDelivery.attempt_count, *COMPLETION_COLUMNS)
    .where(AlertDelivery.id.in_(bindparam("delivery_ids", expanding=True)), IS_BEING_SENT)
    .with_for_update(of=AlertDelivery, skip_locked=True)
)


class RowsChanged(Exception):
    """A row of the group was changed by somebody else. Nothing is recorded."""


def record_group(ended: Sequence[EndedAttempt], now: datetime) -> list[bool | Alone]:
    """Record results and commit. Returns True for each recorded one, `ALONE` for one that has to be recorded by itself.

    Raises `RowsChanged` or a database error, after which nothing is recorded.
    """
    rows = db.session.execute(_RUNNING, {"delivery_ids": [each.attempt.delivery_id for each in ended]}).all()
    running = {row.id: row for row in rows}
    ours = {each.attempt.delivery_id: each for each in ended if _is_ours(each.attempt, running)}
    _update_all([*ours.values()], now)
    # In the order of destinations, as whoever else changes several problems: no two wait for each other.
    for delivery_id, each in sorted(ours.items(), key=lambda item: running[item[0]].alert_destination_id):
        publish_completion(each.transition, delivery_id, running[delivery_id], each.columns["last_error_code"], now)
    db.session.commit()
    return [True if ours.get(each.attempt.delivery_id) is each else ALONE for each in ended]


def _is_ours(attempt: Attempt, running: dict[int, Row[Any]]) -> bool:
    row = running.get(attempt.delivery_id)
    return row is not None and (row.attempt_started_at, row.attempt_count) == (attempt.started_at, attempt.number)


def _update_all(ended: Sequence[EndedAttempt], now: datetime) -> None:
    """Update each row. Raises `RowsChanged` if one is no longer that of its attempt."""
    parameters: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for each in ended:
        values = list_columns(each.transition, now, each.columns)
        identity = {
            "delivery_id": each.attempt.delivery_id,
            "our_start": each.attempt.started_at,
            "our_number": each.attempt.number,
        }
        parameters[tuple(values)].append({_bind(name): value for name, value in values.items()} | identity)
    for columns, rows in parameters.items():
        updated = db.session.connection().execute(_build_update(columns), rows)
        if updated.rowcount != len(rows):
            raise RowsChanged


@lru_cache(maxsize=16)
def _build_update(columns: tuple[str, ...]) -> Update:
    """Return an update of one row, to be executed for many rows at once. Of the table: the ORM would refuse it."""
    table = AlertDelivery.metadata.tables[AlertDelivery.__tablename__]
    is_ours = (
        table.c.id == bindparam("delivery_id"),
        table.c.attempt_started_at == bindparam("our_start"),
        table.c.attempt_count == bindparam("our_number"),
    )
    values = {column: bindparam(_bind(column), type_=table.c[column].type) for column in columns}
    return update(table).where(*is_ours, IS_BEING_SENT).values(values)


def _bind(column: str) -> str:
    return f"new_{column}"  # SQLAlchemy reserves the names of the columns
