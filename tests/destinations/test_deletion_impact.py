"""The impact of a deletion: the rules that send to the destination, and a running test."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.destinations.deletion_impact import assess_deletion
from webapp.extensions import db
from webapp.models import AlertDestination, AlertRule, DeliveryStatus


@pytest.fixture
def destination(context: None, seeded: SeededIds) -> AlertDestination:
    return get_destination(seeded)


def _add_alert_of(destination: AlertDestination, name: str, age: timedelta) -> None:
    alert = add_real_alert(destination, created_at=NOW - age)
    db.session.get_one(AlertRule, alert.alert_rule_id).name = name
    db.session.commit()


def test_deleting_a_new_destination_loses_only_its_settings(destination: AlertDestination) -> None:
    impact = assess_deletion(destination, NOW)

    assert (impact.rules, impact.has_pending_test, impact.test_sends) == ([], False, 0)


@on_both_databases
def test_rules_that_sent_alerts_there_are_listed_once_in_order(destination: AlertDestination) -> None:
    _add_alert_of(destination, "Pump stopped", timedelta(days=1))
    _add_alert_of(destination, "Door open", timedelta(days=2))
    rule = db.session.query(AlertRule).filter_by(name="Door open").one()
    add_real_alert(destination, alert_rule_id=rule.id, created_at=NOW)

    assert assess_deletion(destination, NOW).rules == ["Door open", "Pump stopped"]


@pytest.mark.parametrize(("age", "rules"), [(timedelta(days=30), ["Door open"]), (timedelta(days=30, seconds=1), [])])
def test_a_rule_counts_for_30_days(destination: AlertDestination, age: timedelta, rules: list[str]) -> None:
    _add_alert_of(destination, "Door open", age)

    assert assess_deletion(destination, NOW).rules == rules


def test_a_rule_that_sends_elsewhere_is_not_listed(destination: AlertDestination, seeded: SeededIds) -> None:
    _add_alert_of(db.session.get_one(AlertDestination, seeded.foreign_destination), "Lab alarm", timedelta())

    assert assess_deletion(destination, NOW).rules == []


@pytest.mark.parametrize(
    ("facts", "is_pending"),
    [
        ({"status": DeliveryStatus.QUEUED}, True),
        ({"status": DeliveryStatus.DEFERRED, "send_after": NOW}, True),
        ({"status": DeliveryStatus.SENT, "sent_at": NOW}, False),
        ({"status": DeliveryStatus.FAILED, "last_error_code": "not_found"}, False),
    ],
)
def test_only_a_running_test_would_be_canceled(
    destination: AlertDestination, facts: dict[str, object], is_pending: bool
) -> None:
    add_delivery(destination, **facts)

    assert assess_deletion(destination, NOW).has_pending_test is is_pending


def test_recorded_test_sends_are_counted_without_real_alerts(destination: AlertDestination) -> None:
    add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW)
    add_delivery(destination, created_at=NOW + seconds(61))
    add_real_alert(destination)

    assert assess_deletion(destination, NOW).test_sends == 2


def test_the_assessment_takes_four_queries_for_any_number_of_rules(
    destination: AlertDestination, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    _add_alert_of(destination, "Door open", timedelta())
    _add_alert_of(destination, "Pump stopped", timedelta())
    db.session.refresh(destination)

    with count_queries() as statements:
        assess_deletion(destination, NOW)

    assert len(statements) == 4
