"""Finds destinations that somebody has to confirm, and whose drills nobody has confirmed for a week."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, literal, or_, select
from sqlalchemy.orm import aliased

from webapp.deliveries.confirmation import CONFIRM_WITHIN
from webapp.deliveries.queries import NEWEST_FIRST, ONE
from webapp.extensions import db
from webapp.models import (
    TEST_EVENT,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DestinationProblem,
    ProblemKind,
    Receipt,
    Workspace,
)
from webapp.models.delivery import IS_DRILL
from webapp.models.problem import IS_OPEN
from webapp.models.types import UtcDateTime, closed_set
from webapp.models.upsert import insert_or_update


def open_unconfirmed(now: datetime) -> None:
    """Open the problem of each such destination, in the caller's transaction.

    The newest drill that is a week old counts, however many followed: a weekly drill would otherwise replace the one
    before just in time, for ever. A confirmation of any later message counts.
    """
    found = _select_unconfirmed(now)
    if db.session.execute(found.limit(1)).first() is None:
        return
    table = DestinationProblem.metadata.tables[DestinationProblem.__tablename__]
    inserted = insert_or_update(table).from_select([column.key for column in found.selected_columns], found)
    db.session.execute(
        inserted.on_conflict_do_nothing(index_elements=["alert_destination_id", "kind"], index_where=IS_OPEN)
    )


def _select_unconfirmed(now: datetime) -> Any:
    later, known = aliased(AlertDelivery), aliased(DestinationProblem)
    drill_id = (
        select(AlertDelivery.id)
        .where(
            AlertDelivery.alert_destination_id == AlertDestination.id,
            IS_DRILL,
            AlertDelivery.status == DeliveryStatus.SENT,
            AlertDelivery.created_at <= now - CONFIRM_WITHIN,
        )
        .order_by(*NEWEST_FIRST)
        .limit(ONE)
        .correlate(AlertDestination)
        .scalar_subquery()
    )
    # Not EXISTS, for which PostgreSQL would read the tests of the whole installation.
    seen_at = (
        select(later.created_at)
        .where(
            later.workspace_id == AlertDestination.workspace_id,
            later.alert_destination_id == AlertDestination.id,
            later.event_type == TEST_EVENT,
            later.created_at >= AlertDelivery.created_at,
            later.receipt == Receipt.SEEN,
        )
        .order_by(later.created_at, later.id)
        .limit(ONE)
        .correlate(AlertDestination, AlertDelivery)
        .scalar_subquery()
    )
    is_open = exists().where(
        known.alert_destination_id == AlertDestination.id,
        known.kind == ProblemKind.UNCONFIRMED,
        known.closed_at.is_(None),
    )
    noted_at = literal(now, UtcDateTime)
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
        .join(AlertDelivery, AlertDelivery.id == drill_id)
        .join(Workspace, Workspace.id == AlertDestination.workspace_id)
        .where(
            AlertDestination.needs_confirmation,
            AlertDestination.is_enabled,
            AlertDestination.deleted_at.is_(None),
            Workspace.deleted_at.is_(None),
            AlertDelivery.settings_version == AlertDestination.settings_version,
            or_(AlertDelivery.receipt.is_(None), AlertDelivery.receipt != Receipt.MISSING),
            seen_at.is_(None),
            ~is_open,
        )
    )
