"""Opens the problems of destinations that are unconfirmed."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, exists, literal, select
from sqlalchemy.orm import aliased

from webapp.deliveries.drill_confirmation import UNCONFIRMED_DRILL_ID, confirmation_times
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DestinationProblem, ProblemKind, Workspace
from webapp.models.problem import IS_OPEN
from webapp.models.types import UtcDateTime, closed_set
from webapp.models.upsert import insert_or_update

# Destinations that are looked at with one statement.
PAGE_SIZE = 200


def open_unconfirmed(now: datetime, after: int = 0) -> int | None:
    """Open the problem of each unconfirmed destination of a page that is enabled, and commit.

    In the order of the destinations, see `lock_problems`.
    after: the id after which the page begins. Returns that of the next page; None if this was the last one.
    """
    page = db.session.scalars(_PAGE, {_AFTER: after}).all()
    times = confirmation_times(now) | {"noted_at": now, _AFTER: after, _LAST: page[-1] if page else after}
    if page and db.session.execute(_FIRST, times).first() is not None:
        table = DestinationProblem.metadata.tables[DestinationProblem.__tablename__]
        ordered = _UNCONFIRMED.order_by(AlertDestination.id)
        inserted = insert_or_update(table).from_select([column.key for column in ordered.selected_columns], ordered)
        once = inserted.on_conflict_do_nothing(index_elements=["alert_destination_id", "kind"], index_where=IS_OPEN)
        db.session.execute(once, times)
    db.session.commit()
    return page[-1] if len(page) == PAGE_SIZE else None


_AFTER, _LAST = "after_destination", "last_destination"
_MAY_BE_UNCONFIRMED = and_(
    AlertDestination.needs_confirmation,
    AlertDestination.is_enabled,
    AlertDestination.deleted_at.is_(None),
    AlertDestination.id > bindparam(_AFTER),
)
_PAGE = select(AlertDestination.id).where(_MAY_BE_UNCONFIRMED).order_by(AlertDestination.id).limit(PAGE_SIZE)


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
            _MAY_BE_UNCONFIRMED,
            AlertDestination.id <= bindparam(_LAST),
            Workspace.deleted_at.is_(None),
            ~is_open,
        )
    )


# Built once, because workers look every minute, and building takes longer than looking.
_UNCONFIRMED = _select_unconfirmed()
_FIRST = _UNCONFIRMED.limit(1)
