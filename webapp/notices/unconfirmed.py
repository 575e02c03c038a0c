"""Opens the problems of destinations that are unconfirmed."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, literal, select
from sqlalchemy.orm import aliased

from webapp.deliveries.confirmation import UNCONFIRMED_DRILL_ID, confirmation_times
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DestinationProblem, ProblemKind, Workspace
from webapp.models.problem import IS_OPEN
from webapp.models.types import UtcDateTime, closed_set
from webapp.models.upsert import insert_or_update


def open_unconfirmed(now: datetime) -> None:
    """Open the problem of each unconfirmed destination that is enabled, in the caller's transaction.

    In the order of the destinations, see `lock_problems`.
    """
    times = confirmation_times(now) | {"noted_at": now}
    if db.session.execute(_FIRST, times).first() is None:
        return
    table = DestinationProblem.metadata.tables[DestinationProblem.__tablename__]
    ordered = _UNCONFIRMED.order_by(AlertDestination.id)
    inserted = insert_or_update(table).from_select([column.key for column in ordered.selected_columns], ordered)
    once = inserted.on_conflict_do_nothing(index_elements=["alert_destination_id", "kind"], index_where=IS_OPEN)
    db.session.execute(once, times)


def _select_unconfirmed() -> Any:
    known = aliased(DestinationProblem)
    is_open = exists().where(
        known.alert_destination_id == AlertDestination.id,
        known.kind == ProblemKind.UNCONFIRMED,
        known.closed_at.is_(None),
    )
    noted_at = bindparam("noted_at", type_=UtcDateTime)
    return (
        select(
            AlertDestination.workspace_id.label("workspace_id"),
            AlertDestination.id.label("alert_destination_id"),
            literal(ProblemKind.UNCONFIRMED, closed_set(ProblemKind)).label("kind"),
            noted_at.label("opened_at"),
            AlertDelivery.id.label("delivery_id"),
            AlertDelivery.created_at.label("message_at"),
            AlertDelivery.sent_at.label("failed_at"),
            literal(1).label("failure_count"),
            AlertDestination.settings_version.label("settings_version"),
            noted_at.label("attention_at"),
        )
        .join(AlertDelivery, AlertDelivery.id == UNCONFIRMED_DRILL_ID)
        .join(Workspace, Workspace.id == AlertDestination.workspace_id)
        .where(
            AlertDestination.needs_confirmation,
            AlertDestination.is_enabled,
            AlertDestination.deleted_at.is_(None),
            Workspace.deleted_at.is_(None),
            ~is_open,
        )
    )


# Built once, because workers look every minute, and building takes longer than looking.
_UNCONFIRMED = _select_unconfirmed()
_FIRST = _UNCONFIRMED.limit(1)
