"""Requests a test send: writes its row, or raises the reason for the refusal."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from webapp.audit import BY_CUSTOMER_LINK, SCHEDULE, Action, record_destination_event
from webapp.database.sessions import discard_transaction
from webapp.deliveries.cooldown import CoolingDown, seconds_left
from webapp.deliveries.due_drills import DrillTaken, DueDrill, OtherTestWaits
from webapp.deliveries.messages import write_payload
from webapp.deliveries.planned_tests import PlanGone, end_planned_test, find_planned_test, take_planned_test
from webapp.deliveries.queries import find_newest_test
from webapp.deliveries.transitions import FAIL_UNQUEUED, SUPERSEDE, apply_transition, error_columns
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, DeliveryStatus, PlanEnd
from webapp.models.locking import lock_destination


class DestinationDisabled(Exception):
    """The destination is disabled or deleted, so no test send is accepted."""


def request_test(
    destination: AlertDestination,
    account: Account,
    now: datetime,
    batch: str | None = None,
    settings_version: int | None = None,
    plan_id: int | None = None,
    by_customer_link: bool = False,
) -> int:
    """Write the row of a new test send, commit it and return its id. The caller then enqueues it.

    Supersedes an earlier test send that still waits, and a planned test. Raises `DestinationDisabled`, `CoolingDown` or
    `PlanGone`, and writes nothing.
    batch: shared by the test sends of one press on Test all.
    settings_version: of the settings whose limits were checked; by default the current ones. If they have changed
        since then, the worker cancels the test send.
    plan_id: of the planned test that becomes this test send.
    by_customer_link: whether a customer requested it, by a link of this account.
    """
    newest = _lock_for_test(destination, now)
    # Keeps `created_at` in the order of the presses, even if the clock was set back in between.
    created_at = max(now, newest.created_at) if newest else now
    _settle_plan(destination, account, created_at, plan_id)
    if newest is not None:
        apply_transition(SUPERSEDE, newest.id, now, **error_columns(Code.SUPERSEDED))
    delivery = _new_test_send(destination, account, now)
    delivery.batch, delivery.by_customer_link = batch, by_customer_link
    delivery.settings_version = settings_version or destination.settings_version
    delivery.created_at = created_at
    how = ["planned"] * (plan_id is not None) + [BY_CUSTOMER_LINK] * by_customer_link
    record_destination_event(destination, account, Action.TEST_REQUESTED, now, how)
    return _commit(delivery)


def request_drill(
    destination: AlertDestination,
    drill: DueDrill,
    now: datetime,
    settings_version: int,
    account: Account | None = None,
    batch: str | None = None,
) -> int:
    """Write the row of a drill's test send, commit it and return its id. The caller then enqueues it.

    Supersedes nothing: a test that waits or is planned comes first. Raises `DestinationDisabled`, `CoolingDown`,
    `OtherTestWaits` or `DrillTaken`, and writes nothing.
    settings_version: of the settings whose limits were checked, as for `request_test`.
    account: who pressed *Drill now*; None for the schedule. batch: shared by the test sends of that press.
    """
    newest = _lock_for_test(destination, now)
    is_waiting = newest is not None and newest.status.is_waiting
    if is_waiting or find_planned_test(destination, now) is not None:
        db.session.rollback()
        raise OtherTestWaits
    if not drill.is_still_due(destination):
        db.session.rollback()
        raise DrillTaken
    delivery = _new_test_send(destination, account, now, is_drill=True)
    delivery.drill, delivery.settings_version, delivery.batch = drill.number, settings_version, batch
    delivery.created_at = max(now, newest.created_at) if newest else now
    destination.drilled_at = now
    record_destination_event(destination, account or SCHEDULE, Action.DRILL_REQUESTED, now)
    return _commit(delivery)


def _lock_for_test(destination: AlertDestination, now: datetime) -> AlertDelivery | None:
    """Lock the destination and return its newest test send. Raises `DestinationDisabled` or `CoolingDown`."""
    lock_enabled(destination)
    newest = find_newest_test(destination)
    if newest is not None and seconds_left(newest.created_at, now):
        db.session.rollback()
        raise CoolingDown
    return newest


def lock_enabled(destination: AlertDestination) -> None:
    """Lock the destination until the end of the transaction. Raises `DestinationDisabled`."""
    lock_destination(destination)
    if not destination.is_enabled or destination.deleted_at is not None:
        db.session.rollback()
        raise DestinationDisabled


def _settle_plan(destination: AlertDestination, account: Account, now: datetime, plan_id: int | None) -> None:
    """Take the planned test that becomes this test send, or end the one that this press makes superfluous."""
    if plan_id is None:
        end_planned_test(destination, PlanEnd.REPLACED, now, account.name)
        return
    try:
        take_planned_test(plan_id)
    except PlanGone:
        db.session.rollback()
        raise


def _commit(delivery: AlertDelivery) -> int:
    """Add a row, commit and return its id.

    If the connection dies before the database confirms the commit, look whether the row is there.
    """
    db.session.add(delivery)
    db.session.flush()
    delivery_id = delivery.id  # reading it after the commit would be a query, which can fail
    try:
        db.session.commit()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        discard_transaction()
        if db.session.scalar(select(AlertDelivery.id).where(AlertDelivery.id == delivery_id)) is None:
            raise
    return delivery_id


def fail_unqueued(delivery_id: int, now: datetime) -> None:
    """End a test send that could not be enqueued, unless a worker has claimed it."""
    apply_transition(FAIL_UNQUEUED, delivery_id, now, **error_columns(Code.QUEUE_UNAVAILABLE))
    db.session.commit()


def _new_test_send(
    destination: AlertDestination, account: Account | None, now: datetime, is_drill: bool = False
) -> AlertDelivery:
    return AlertDelivery(
        workspace_id=destination.workspace_id,
        alert_destination_id=destination.id,
        event_type=TEST_EVENT,
        status=DeliveryStatus.QUEUED,
        attempt_count=0,
        requested_by_id=account.id if account else None,
        payload=write_payload(destination, account, now, is_drill),
        updated_at=now,
    )
