"""Queries over deliveries load every requester with the deliveries, not one by one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from tests.query_plans import explain, record_statements
from webapp.deliveries.newest_deliveries import find_newest_test, list_newest_tests, list_with_newest_test
from webapp.deliveries.queries import has_real_alerts, list_test_sends
from webapp.extensions import db
from webapp.models import AlertDestination

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

CountQueries = Callable[[], AbstractContextManager[list[str]]]


def test_a_page_of_destinations_takes_one_query_whoever_requested_the_tests(
    seeded: SeededIds, count_queries: CountQueries
) -> None:
    destination_ids = [seeded.destination, seeded.foreign_destination]
    add_delivery(get_destination(seeded), requested_by_id=seeded.admin)
    add_delivery(db.session.get_one(AlertDestination, seeded.foreign_destination), requested_by_id=seeded.stranger)
    db.session.expunge_all()

    with count_queries() as queries:
        newest = [delivery for _, delivery in list_with_newest_test(destination_ids)]
        names = [delivery.requested_by.name for delivery in newest if delivery and delivery.requested_by]

    assert (names, len(queries)) == (["Admin", "Stranger"], 1)


def test_the_last_test_sends_take_one_query_whoever_requested_them(
    seeded: SeededIds, count_queries: CountQueries
) -> None:
    add_delivery(get_destination(seeded), requested_by_id=seeded.admin)
    add_delivery(get_destination(seeded), requested_by_id=seeded.support, created_at=NOW + seconds(60))
    destination = get_destination(seeded)
    db.session.expunge_all()

    with count_queries() as queries:
        names = [send.requested_by.name for send in list_test_sends(destination) if send.requested_by]

    assert (names, len(queries)) == (["Support", "Admin"], 1)


def test_the_newest_test_comes_with_its_requester(seeded: SeededIds, count_queries: CountQueries) -> None:
    add_delivery(get_destination(seeded), requested_by_id=seeded.admin)
    destination = get_destination(seeded)
    db.session.expunge_all()

    with count_queries() as queries:
        newest = find_newest_test(destination)
        name = newest.requested_by.name if newest and newest.requested_by else None

    assert (name, len(queries)) == ("Admin", 1)


def test_the_newest_tests_are_found_by_destination_although_the_table_has_no_statistics(seeded: SeededIds) -> None:
    """Otherwise PostgreSQL reads all tests of the workspace for each destination, until its first autovacuum."""
    add_delivery(get_destination(seeded))
    db.session.commit()

    ((statement, parameters),) = record_statements(lambda: list_newest_tests([seeded.destination]))

    plan = explain(statement, parameters)
    assert "alert_destination_id" in plan
    assert "ix_alert_deliveries_newest" in plan or "ix_alert_deliveries_history_destination" in plan


def test_real_alerts_are_looked_for_beside_the_tests(seeded: SeededIds) -> None:
    """A destination may have a hundred thousand tests, which PostgreSQL reads unless each range is a subquery."""
    destination = get_destination(seeded)
    (statement, _parameters), *_ = record_statements(partial(has_real_alerts, destination))[-1:]

    assert statement.count("EXISTS") == 2


@pytest.mark.parametrize("event", ["alerts.a", "alerts.tests", "heartbeat.missing"])
def test_a_real_alert_is_found_whatever_its_event(seeded: SeededIds, event: str) -> None:
    destination = get_destination(seeded)
    add_delivery(destination)
    assert not has_real_alerts(destination)

    add_real_alert(destination, event_type=event)

    assert has_real_alerts(destination)
