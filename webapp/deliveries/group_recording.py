"""Records the results of several attempts in one transaction. Whatever is not plain is left to the single record."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Update, bindparam, select, update

from webapp.deliveries.claiming import Attempt
from webapp.deliveries.transitions import FACTS, IS_BEING_SENT, Transition, announce, list_columns
from webapp.extensions import db
from webapp.models import AlertDelivery

# On PostgreSQL, locked rows are left out: the group waits for nobody. SQLite has one writer and ignores this.
_RUNNING = (
    select(AlertDelivery.id, AlertDelivery.attempt_started_at, AlertDelivery.attempt_count, *FACTS)
    .where(AlertDelivery.id.in_(bindparam("delivery_ids", expanding=True)), IS_BEING_SENT)
    .with_for_update(of=AlertDelivery, skip_locked=True)
)


class RowsChanged(Exception):
    """A row of the group was changed by somebody else. Nothing is recorded."""


@dataclass(frozen=True)
class Ending:
    """An attempt that has ended, with the transition of its result and the columns to store."""

    attempt: Attempt
    transition: Transition
    columns: dict[str, Any]


def record_group(endings: Sequence[Ending], now: datetime) -> list[bool | None]:
    """Record results and commit. Returns True for each one that is recorded, None for one to record by itself.

    Raises `RowsChanged` or a database error, after which nothing is recorded.
    """
    rows = db.session.execute(_RUNNING, {"delivery_ids": [ending.attempt.delivery_id for ending in endings]}).all()
    running = {row.id: row for row in rows}
    ours = {ending.attempt.delivery_id: ending for ending in endings if _is_ours(ending.attempt, running)}
    _update_all([*ours.values()], now)
    # In the order of destinations, as whoever else changes several problems: no two wait for each other.
    for delivery_id, ending in sorted(ours.items(), key=lambda item: running[item[0]].alert_destination_id):
        announce(ending.transition, delivery_id, running[delivery_id], ending.columns["last_error_code"], now)
    db.session.commit()
    return [True if ours.get(ending.attempt.delivery_id) is ending else None for ending in endings]


def _is_ours(attempt: Attempt, running: dict[int, Row[Any]]) -> bool:
    row = running.get(attempt.delivery_id)
    return row is not None and (row.attempt_started_at, row.attempt_count) == (attempt.started_at, attempt.number)


def _update_all(endings: Sequence[Ending], now: datetime) -> None:
    """Update each row if it is still that of its attempt. Raises `RowsChanged` if one is not."""
    batches: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for ending in endings:
        values = list_columns(ending.transition, now, ending.columns)
        identity = {
            "delivery_id": ending.attempt.delivery_id,
            "our_start": ending.attempt.started_at,
            "our_number": ending.attempt.number,
        }
        batches[tuple(values)].append({_bind(name): value for name, value in values.items()} | identity)
    for columns, parameters in batches.items():
        updated = db.session.connection().execute(_build_update(columns), parameters)
        if updated.rowcount != len(parameters):
            raise RowsChanged


@lru_cache(maxsize=16)
def _build_update(columns: tuple[str, ...]) -> Update:
    """Return the update of one row. Of the table, because the ORM does not execute an update for many rows."""
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
