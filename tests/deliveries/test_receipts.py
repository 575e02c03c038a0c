"""What people say of a test message, and what of it is written down."""

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
from webapp.deliveries import find_linked, is_in_question, record_by_link, record_by_member, request_test, send
from webapp.deliveries.outcome import Badge, describe_outcome
from webapp.extensions import db
from webapp.models import AlertDelivery, AuditEvent, DeliveryStatus, Receipt
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


def _told(delivery: AlertDelivery) -> tuple[object, ...]:
    return delivery.receipt, delivery.receipt_by, delivery.receipt_at


def _actions() -> list[str]:
    return [event.action for event in db.session.scalars(select(AuditEvent)) if event.happened_at != NOW]


@pytest.mark.parametrize("facts", [SENT, LOST, LOST | {"last_error_code": "read_timeout"}])
def test_what_was_accepted_or_may_have_arrived_is_in_question(seeded: SeededIds, facts: dict[str, Any]) -> None:
    delivery = add_delivery(get_destination(seeded), **facts)

    assert is_in_question(delivery)
    assert record_by_member(delivery, get_account(seeded), Receipt.SEEN, LATER)


@pytest.mark.parametrize("facts", [{}, GONE, {"status": DeliveryStatus.CANCELED, "last_error_code": "superseded"}])
def test_what_is_under_way_or_was_not_delivered_is_not_in_question(seeded: SeededIds, facts: dict[str, Any]) -> None:
    delivery = add_delivery(get_destination(seeded), **facts)

    assert not is_in_question(delivery)
    assert not record_by_member(delivery, get_account(seeded), Receipt.SEEN, LATER)
    assert (_told(delivery), _actions()) == ((None, None, None), [])


def test_a_real_alert_has_no_receipt(seeded: SeededIds) -> None:
    alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, payload=PAYLOAD)

    assert not is_in_question(alert)
    assert not record_by_member(alert, get_account(seeded), Receipt.SEEN, LATER)
    assert find_linked(alert.id, "K7QM4T", LATER) is None


@pytest.mark.parametrize(
    ("receipt", "action"), [(Receipt.SEEN, "saw a test arrive"), (Receipt.MISSING, "saw no test arrive")]
)
def test_what_a_member_says_is_kept_with_who_and_when_and_in_the_audit_trail(
    seeded: SeededIds, delivery: AlertDelivery, receipt: Receipt, action: str
) -> None:
    assert record_by_member(delivery, get_account(seeded), receipt, LATER)

    assert (_told(delivery), _actions()) == ((receipt, "Admin", LATER), [action])


def test_the_last_word_of_the_members_holds(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_by_member(delivery, get_account(seeded), Receipt.SEEN, NOW)
    record_by_member(delivery, get_account(seeded), Receipt.MISSING, LATER)

    assert _told(delivery) == (Receipt.MISSING, "Admin", LATER)


def test_a_member_corrects_what_the_link_said(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_by_link(delivery, NOW)
    record_by_member(delivery, get_account(seeded), Receipt.MISSING, LATER)

    assert _told(delivery) == (Receipt.MISSING, "Admin", LATER)


def test_a_receipt_moves_no_badge(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), **LOST)
    record_by_link(delivery, LATER)

    told = describe_outcome(delivery, "webhook")
    assert (told.badge, told.at) == (Badge.FAILED, NOW)


def test_a_link_says_once_that_the_message_was_seen_and_names_nobody(delivery: AlertDelivery) -> None:
    assert record_by_link(delivery, LATER)
    assert not record_by_link(delivery, LATER + seconds(1))

    assert _told(delivery) == (Receipt.SEEN, None, LATER)


def test_a_link_says_nothing_once_a_member_has_seen_the_message(seeded: SeededIds, delivery: AlertDelivery) -> None:
    record_by_member(delivery, get_account(seeded), Receipt.SEEN, NOW)

    assert not record_by_link(delivery, LATER)
    assert _told(delivery) == (Receipt.SEEN, "Admin", NOW)


def test_a_link_holds_against_a_member_who_did_not_see_the_message_yet(
    seeded: SeededIds, delivery: AlertDelivery
) -> None:
    record_by_member(delivery, get_account(seeded), Receipt.MISSING, NOW)

    assert record_by_link(delivery, LATER)
    assert _told(delivery) == (Receipt.SEEN, None, LATER)


@pytest.mark.parametrize("facts", [GONE, {"attempt_count": 1, "attempt_started_at": NOW}])
def test_a_link_holds_against_what_the_far_end_said_or_has_not_said_yet(
    seeded: SeededIds, facts: dict[str, Any]
) -> None:
    assert record_by_link(add_delivery(get_destination(seeded), **facts), LATER)


def test_of_two_presses_at_once_one_counts(app: Flask, delivery: AlertDelivery) -> None:
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


def test_a_link_leads_to_its_delivery_for_seven_days(delivery: AlertDelivery) -> None:
    week = timedelta(days=7)

    assert find_linked(delivery.id, "K7QM4T", NOW + week - seconds(1)) == delivery
    assert find_linked(delivery.id, "K7QM4T", NOW + week) is None


@pytest.mark.parametrize("reference", ["K7QM4S", ""])
def test_a_link_leads_nowhere_once_its_number_belongs_to_another_delivery(
    delivery: AlertDelivery, reference: str
) -> None:
    assert find_linked(delivery.id, reference, LATER) is None
    assert find_linked(delivery.id + 1, "K7QM4T", LATER) is None


def test_a_link_is_in_the_message_and_nowhere_else(
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


def test_without_an_address_of_the_pages_a_message_has_no_link(
    httpserver: HTTPServer, seeded: SeededIds, app_settings: AppSettings
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()

    send(request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC)), app_settings)

    assert "receipt_link" not in httpserver.log[0][0].get_json()["data"]
