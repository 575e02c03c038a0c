"""Requests test sends: writes their rows, or returns the reason for each refusal.

One press is a group of one. A group is written by as many statements as one row, in one transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from webapp.audit import BY_CUSTOMER_LINK, SCHEDULE, Action, record_destination_events
from webapp.database.sessions import discard_transaction
from webapp.deliveries.messages import write_payload
from webapp.deliveries.requesting.planned_test_transitions import PlanGone, replace_planned_tests, take_planned_test
from webapp.deliveries.requesting.request_rules import (
    DestinationDisabled,
    RequestFacts,
    WantedTest,
    find_objection,
    load_facts,
)
from webapp.deliveries.transitions import FAIL_UNQUEUED, SUPERSEDE, end_each
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, DeliveryStatus
from webapp.models.insertion import insert_rows
from webapp.models.locking import lock_destination, lock_destinations


def request_test(
    destination: AlertDestination,
    account: Account,
    now: datetime,
    batch: str | None = None,
    settings_version: int | None = None,
    plan_id: int | None = None,
    by_customer_link: bool = False,
) -> int:
    """Write the row of a new test send, commit it and return its id. See `request_tests`.

    Raises `DestinationDisabled`, `CoolingDown` or `PlanGone`, and writes nothing.
    """
    wanted = WantedTest(destination, now, settings_version, plan_id)
    (outcome,) = request_tests([wanted], account, batch, by_customer_link)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def request_tests(
    wanted: Sequence[WantedTest], account: Account | None, batch: str | None = None, by_customer_link: bool = False
) -> list[int | Exception]:
    """Write the rows of new test sends and commit them. The caller then enqueues them.

    Supersedes the earlier test sends that still wait, and the planned tests. Returns for each, in this order, its id,
    or why nothing was written for it: `DestinationDisabled`, `CoolingDown`, `PlanGone`, `OtherTestWaits` or
    `DrillTaken`. If it raises, nothing is written for any of them. No destination may be there twice.
    account: who requested them; None for the schedule of drills. batch: shared by the test sends of one press.
    by_customer_link: whether a customer requested them, by a link of this account.
    """
    lock_destinations([each.destination for each in wanted])
    facts = load_facts(wanted)
    refusals = [find_objection(each, facts) or _take_plan(each) for each in wanted]
    accepted = [each for each, refusal in zip(wanted, refusals, strict=True) if refusal is None]
    if not accepted:
        db.session.rollback()
        return [refusal for refusal in refusals if refusal is not None]
    _make_room(accepted, account, facts)
    common = {"batch": batch, "by_customer_link": by_customer_link}
    rows = [_describe_row(each, account, facts.date(each)) | common for each in accepted]
    # By destination: to have them in the order of the rows, SQLite would insert one by one.
    returned = insert_rows(AlertDelivery, rows, AlertDelivery.alert_destination_id, AlertDelivery.id)
    ids: dict[int, int] = {row[0]: row[1] for row in returned}
    written = [ids[each.destination.id] for each in accepted]
    _record(accepted, account, by_customer_link)
    _commit(written)
    outcomes = iter(written)
    return [next(outcomes) if refusal is None else refusal for refusal in refusals]


def _take_plan(wanted: WantedTest) -> PlanGone | None:
    """Take the planned test that becomes this test send, if one does. Returns `PlanGone` if it has ended."""
    try:
        if wanted.plan_id is not None:
            take_planned_test(wanted.plan_id)
    except PlanGone as gone:
        return gone
    return None


def _make_room(accepted: Sequence[WantedTest], account: Account | None, facts: RequestFacts) -> None:
    """End the planned tests that these make superfluous, and the test sends that still wait."""
    planned = [each for each in accepted if each.destination.id in facts.planned]
    replacing = [each for each in planned if each.plan_id is None and each.drill is None]
    if replacing and account is not None:
        latest = max(facts.date(each) for each in replacing)
        replace_planned_tests([each.destination.id for each in replacing], latest, account.name)
    newest = [facts.newest[each.destination.id] for each in accepted if each.destination.id in facts.newest]
    waiting = [test.delivery_id for test in newest if test.status.is_waiting]
    if waiting:
        end_each(SUPERSEDE, waiting, max(each.now for each in accepted), Code.SUPERSEDED)


def _describe_row(wanted: WantedTest, account: Account | None, created_at: datetime) -> dict[str, Any]:
    destination, drill = wanted.destination, wanted.drill
    return {
        "workspace_id": destination.workspace_id,
        "alert_destination_id": destination.id,
        "event_type": TEST_EVENT,
        "status": DeliveryStatus.QUEUED,
        "attempt_count": 0,
        "requested_by_id": account.id if account else None,
        "settings_version": wanted.settings_version or destination.settings_version,
        "drill": drill.number if drill else None,
        "payload": write_payload(destination, account, wanted.now, is_drill=drill is not None),
        "created_at": created_at,
        "updated_at": wanted.now,
    }


def _record(accepted: Sequence[WantedTest], account: Account | None, by_customer_link: bool) -> None:
    """Record the test sends in the audit trail, and the drills at their destinations."""
    events = []
    for each in accepted:
        how = ["planned"] * (each.plan_id is not None) + [BY_CUSTOMER_LINK] * by_customer_link
        action = Action.DRILL_REQUESTED if each.drill else Action.TEST_REQUESTED
        events.append((each.destination, action, each.now, how))
        if each.drill:
            each.destination.drilled_at = each.now
    record_destination_events(events, account or SCHEDULE)


def _commit(delivery_ids: Sequence[int]) -> None:
    """Commit these rows.

    If the connection dies before the database confirms the commit, look whether they are there: all are, or none.
    """
    try:
        db.session.commit()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        discard_transaction()
        if db.session.scalar(select(AlertDelivery.id).where(AlertDelivery.id == delivery_ids[0])) is None:
            raise


def lock_enabled(destination: AlertDestination) -> None:
    """Lock the destination until the end of the transaction. Raises `DestinationDisabled`."""
    lock_destination(destination)
    if not destination.is_active:
        db.session.rollback()
        raise DestinationDisabled


def fail_unqueued(delivery_ids: Sequence[int], now: datetime) -> None:
    """End test sends that could not be enqueued, except those that a worker has claimed. One transaction."""
    end_each(FAIL_UNQUEUED, delivery_ids, now, Code.QUEUE_UNAVAILABLE)
    db.session.commit()
