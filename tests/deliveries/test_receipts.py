"""Receipts: whether people saw a test message, and how that is recorded."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select, text

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.search_places import read_queue
from tests.factories import (
    NOW,
    SECRET_PATH,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp import queue
from webapp.deliveries import (
    can_be_confirmed,
    find_linked,
    record_by_link,
    record_by_member,
    record_for_customer,
    request_test,
    send,
)
from webapp.deliveries.badge import Badge, describe_outcome
from webapp.deliveries.drill_confirmation import CONFIRM_WITHIN
from webapp.extensions import db
from webapp.models import AlertDelivery, AuditEvent, DeliveryStatus, Receipt, ReceiptSource
from webapp.receipt_links import LINK_LIFETIME
from webapp.settings import AppSettings, read_settings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

LATER = NOW + seconds(300)
PAYLOAD = {"reference": "K7QM4T"}
SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1, "payload": PAYLOAD}
LOST: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": "worker_lost", "attempt_count": 1}
GONE: dict[str, Any] = LOST | {"last_error_code": "gone"}


@pytest.fixture
def delivery(seeded: SeededIds) -> AlertDelivery:
    """A test send that was accepted."""
    return add_delivery(get_destination(seeded), **SENT)


def _read_receipt(delivery: AlertDelivery) -> tuple[object, ...]:
    return delivery.receipt, delivery.receipt_by, delivery.receipt_at


def _read_source(delivery: AlertDelivery) -> tuple[object, ...]:
    return delivery.receipt_source, delivery.receipt_recorded_by


def _actions() -> list[str]:
    return [event.action for event in db.session.scalars(select(AuditEvent)) if event.happened_at != NOW]


@pytest.mark.parametrize("facts", [SENT, LOST, LOST | {"last_error_code": "read_timeout"}])
def test_a_message_that_was_accepted_or_may_have_arrived_can_get_a_receipt(
    seeded: SeededIds, facts: dict[str, Any]
) -> None:
    delivery = add_delivery(get_destination(seeded), **facts)

    assert can_be_confirmed(delivery)
    assert record_by_member(delivery, get_account(seeded), Receipt.SEEN, LATER)


@pytest.mark.parametrize("facts", [{}, GONE, {"status": DeliveryStatus.CANCELED, "last_error_code": "superseded"}])
def test_a_message_that_is_pending_or_was_not_delivered_gets_no_receipt_from_members(
    seeded: SeededIds, facts: dict[str, Any]
) -> None:
    delivery = add_delivery(get_destination(seeded), **facts)

    assert not can_be_confirmed(delivery)
    assert not record_by_member(delivery, get_account(seeded), Receipt.SEEN, LATER)
    assert (_read_receipt(delivery), _actions()) == ((None, None, None), [])


def test_a_real_alert_has_no_receipt(seeded: SeededIds) -> None:
    alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, payload=PAYLOAD)

    assert not can_be_confirmed(alert)
    assert not record_by_member(alert, get_account(seeded), Receipt.SEEN, LATER)
    assert find_linked(alert.id, "K7QM4T", LATER) is None


@pytest.mark.parametrize(
    ("receipt", "action"), [(Receipt.SEEN, "saw a test arrive"), (Receipt.MISSING, "saw no test arrive")]
)
def test_a_members_receipt_is_stored_with_name_and_time_and_audited(
    seeded: SeededIds, delivery: AlertDelivery, receipt: Receipt, action: str
) -> None:
    assert record_by_member(delivery, get_account(seeded), receipt, LATER)

    assert (_read_receipt(delivery), _actions()) == ((receipt, "Admin", LATER), [action])
    assert _read_source(delivery) == (ReceiptSource.MEMBER, None)


def test_what_a_customer_said_is_stored_with_their_name_and_who_wrote_it_down_and_audited(
    seeded: SeededIds, delivery: AlertDelivery
) -> None:
    assert record_for_customer(delivery, get_account(seeded), "Ann", LATER)

    assert (_read_receipt(delivery), _read_source(delivery)) == (
        (Receipt.SEEN, "Ann", LATER),
        (ReceiptSource.CUSTOMER, "Admin"),
    )
    assert _actions() == ["recorded that the customer saw a test arrive"]


@pytest.mark.parametrize("facts", [{}, GONE])
def test_a_message_that_is_pending_or_was_not_delivered_cannot_be_confirmed_for_a_customer(
    seeded: SeededIds, facts: dict[str, Any]
) -> None:
    delivery = add_delivery(get_destination(seeded), **facts)

    assert not record_for_customer(delivery, get_account(seeded), "Ann", LATER)
    assert (_read_receipt(delivery), _actions()) == ((None, None, None), [])


def test_a_members_later_receipt_leaves_nothing_of_the_customers(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_for_customer(delivery, get_account(seeded), "Ann", NOW)
    record_by_member(delivery, get_account(seeded), Receipt.MISSING, LATER)

    assert _read_receipt(delivery) == (Receipt.MISSING, "Admin", LATER)
    assert _read_source(delivery) == (ReceiptSource.MEMBER, None)


def test_a_link_changes_nothing_after_a_customer_confirmed_the_message(
    seeded: SeededIds, delivery: AlertDelivery
) -> None:
    record_for_customer(delivery, get_account(seeded), "Ann", NOW)

    assert not record_by_link(delivery, LATER)
    assert _read_receipt(delivery) == (Receipt.SEEN, "Ann", NOW)


def test_the_latest_receipt_of_a_member_is_kept(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_by_member(delivery, get_account(seeded), Receipt.SEEN, NOW)
    record_by_member(delivery, get_account(seeded), Receipt.MISSING, LATER)

    assert _read_receipt(delivery) == (Receipt.MISSING, "Admin", LATER)


def test_a_member_can_correct_a_receipt_by_link(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_by_link(delivery, NOW)
    record_by_member(delivery, get_account(seeded), Receipt.MISSING, LATER)

    assert _read_receipt(delivery) == (Receipt.MISSING, "Admin", LATER)


def test_a_receipt_does_not_change_the_badge(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), **LOST)
    record_by_link(delivery, LATER)

    outcome = describe_outcome(delivery, "webhook")
    assert (outcome.badge, outcome.at) == (Badge.FAILED, NOW)


def test_a_link_records_once_that_the_message_was_seen_without_a_name(delivery: AlertDelivery) -> None:
    assert record_by_link(delivery, LATER)
    assert not record_by_link(delivery, LATER + seconds(1))

    assert _read_receipt(delivery) == (Receipt.SEEN, None, LATER)
    assert _read_source(delivery) == (ReceiptSource.LINK, None)


def test_a_link_changes_nothing_after_a_member_saw_the_message(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_by_member(delivery, get_account(seeded), Receipt.SEEN, NOW)

    assert not record_by_link(delivery, LATER)
    assert _read_receipt(delivery) == (Receipt.SEEN, "Admin", NOW)


def test_a_link_overrides_a_member_who_had_not_seen_the_message(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_by_member(delivery, get_account(seeded), Receipt.MISSING, NOW)

    assert record_by_link(delivery, LATER)
    assert _read_receipt(delivery) == (Receipt.SEEN, None, LATER)


@pytest.mark.parametrize("facts", [GONE, {"attempt_count": 1, "attempt_started_at": NOW}])
def test_a_link_records_a_receipt_for_a_failed_or_running_delivery(seeded: SeededIds, facts: dict[str, Any]) -> None:
    assert record_by_link(add_delivery(get_destination(seeded), **facts), LATER)


def test_only_one_of_two_simultaneous_receipts_counts(app: Flask, delivery: AlertDelivery) -> None:
    delivery_id, start = delivery.id, threading.Barrier(2)
    db.session.rollback()

    def press() -> bool:
        with app.app_context():
            own = db.session.get_one(AlertDelivery, delivery_id)
            start.wait()
            return record_by_link(own, LATER)

    with ThreadPoolExecutor(2) as threads:
        results = [threads.submit(press) for _ in range(2)]

    assert sorted(result.result() for result in results) == [False, True]


def test_a_link_is_valid_for_seven_days_and_an_hour(delivery: AlertDelivery) -> None:
    end = NOW + timedelta(days=7, hours=1)

    assert find_linked(delivery.id, "K7QM4T", end - seconds(1)) == delivery
    assert find_linked(delivery.id, "K7QM4T", end) is None


def test_a_link_outlives_the_time_within_which_a_drill_should_be_confirmed() -> None:
    assert timedelta(hours=1) <= LINK_LIFETIME - CONFIRM_WITHIN


@pytest.mark.parametrize("reference", ["K7QM4S", ""])
def test_a_link_does_not_match_another_deliverys_id_or_reference(delivery: AlertDelivery, reference: str) -> None:
    assert find_linked(delivery.id, reference, LATER) is None
    assert find_linked(delivery.id + 1, "K7QM4T", LATER) is None


def test_a_link_is_only_in_the_message(
    environment: dict[str, str],
    queue_server: QueueServer,
    httpserver: HTTPServer,
    seeded: SeededIds,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    app_settings = read_settings(environment | {"ALERTCHECK_PUBLIC_URL": "https://alertcheck.example.com"})
    delivery_id = request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))
    queue.enqueue_deliveries(delivery_id)
    job = read_queue(queue_server)

    send(delivery_id, app_settings)

    token = app_settings.links.sign(delivery_id, str(db.session.get_one(AlertDelivery, delivery_id).reference))
    (request, _), row = httpserver.log[0], db.session.execute(text("SELECT * FROM alert_deliveries")).one()
    assert request.get_json()["data"]["receipt_link"] == f"https://alertcheck.example.com/seen/{token}"
    assert token not in f"{row} {job!r} {read_queue(queue_server)!r} {caplog.text}"


def test_a_message_has_no_link_without_a_public_url(
    httpserver: HTTPServer, seeded: SeededIds, app_settings: AppSettings
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()

    send(request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC)), app_settings)

    assert "receipt_link" not in httpserver.log[0][0].get_json()["data"]
