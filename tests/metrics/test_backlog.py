"""The backlog: what counts as waiting, since when, and at what cost."""

from typing import Any

import pytest
from sqlalchemy import insert, text

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.extensions import db
from webapp.metrics.backlog import Backlog, _select_backlog, measure_backlog
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus

DEFERRED = {"status": DeliveryStatus.DEFERRED, "send_after": NOW + seconds(15)}
SENT = {"status": DeliveryStatus.SENT, "sent_at": NOW}
FAILED = {"status": DeliveryStatus.FAILED, "last_error_code": "not_found"}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


@on_both_databases
def test_where_nothing_waits_nothing_is_old(context: None, seeded: SeededIds) -> None:
    assert measure_backlog(NOW) == Backlog(queued=0, deferred=0, age=0)


@on_both_databases
def test_queued_and_deferred_test_sends_wait_and_what_has_ended_does_not(context: None, seeded: SeededIds) -> None:
    for facts in ({}, {"attempt_started_at": NOW}, DEFERRED, SENT, FAILED, {"status": DeliveryStatus.CANCELED}):
        add_delivery(get_destination(seeded), **facts)

    assert measure_backlog(NOW) == Backlog(queued=2, deferred=1, age=0)


@on_both_databases
def test_real_alerts_are_not_counted(context: None, seeded: SeededIds) -> None:
    add_real_alert(get_destination(seeded))

    assert measure_backlog(NOW + seconds(9)) == Backlog(queued=0, deferred=0, age=0)


@on_both_databases
def test_the_age_is_that_of_the_oldest_that_no_worker_has_taken(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, created_at=NOW - seconds(30), attempt_started_at=NOW)
    add_delivery(destination, created_at=NOW - seconds(20), **DEFERRED)
    add_delivery(destination, created_at=NOW - seconds(10.5))
    add_delivery(destination, created_at=NOW - seconds(5))

    assert measure_backlog(NOW).age == 10.5


@pytest.mark.parametrize("attempts", [0, 1])
def test_being_handed_to_the_queue_again_makes_nothing_younger(context: None, seeded: SeededIds, attempts: int) -> None:
    add_delivery(get_destination(seeded), created_at=NOW - seconds(45), updated_at=NOW, attempt_count=attempts)

    assert measure_backlog(NOW).age == 45


def test_an_age_is_never_negative_where_the_clock_was_set_back(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), created_at=NOW + seconds(3600))

    assert measure_backlog(NOW) == Backlog(queued=1, deferred=0, age=0)


@on_both_databases
def test_it_takes_one_query_by_the_index_of_waiting_rows_however_many_have_ended(
    context: None, seeded: SeededIds, count_queries: Any
) -> None:
    add_delivery(get_destination(seeded))
    ended = {"workspace_id": seeded.harbor, "alert_destination_id": seeded.destination, "event_type": TEST_EVENT}
    ended |= {"payload": {}, "created_at": NOW, "updated_at": NOW, **SENT}
    failed = ended | {"status": DeliveryStatus.FAILED, "sent_at": None, "last_error_code": "gone"}
    db.session.execute(insert(AlertDelivery), [ended, failed] * 1500)
    db.session.execute(text("ANALYZE"))

    with count_queries() as queries:
        measured = measure_backlog(NOW)

    assert (measured, len(queries)) == (Backlog(queued=1, deferred=0, age=0), 1)
    assert "ix_alert_deliveries_waiting" in _explain()


def _explain() -> str:
    query = _select_backlog().compile(db.engine, compile_kwargs={"literal_binds": True})
    plan = db.session.execute(text(f"{EXPLAIN[db.engine.dialect.name]} {query}"))
    return " / ".join(str(row) for row in plan)
