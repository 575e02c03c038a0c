"""One send to a real receiver on the loopback."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from werkzeug import Request, Response

from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import (
    SECRET_PATH,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp.deliveries import request_test, send
from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.deliveries.badge import describe_outcome
from webapp.destinations.editing import change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture
def delivery_id(seeded: SeededIds) -> int:
    """A test send that was pressed just now."""
    return request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))


@pytest.fixture
def receiver(httpserver: HTTPServer) -> HTTPServer:
    return httpserver


def _get(delivery_id: int) -> AlertDelivery:
    return db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)


def _outcome(delivery_id: int) -> tuple[DeliveryStatus, str | None, int]:
    delivery = _get(delivery_id)
    return delivery.status, delivery.last_error_code, delivery.attempt_count


def test_a_delivery_whose_message_is_accepted_is_sent_with_the_response_status(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=204)

    send(delivery_id, app_settings)

    delivery = _get(delivery_id)
    assert (delivery.status, delivery.answer_status, delivery.attempt_count) == (DeliveryStatus.SENT, 204, 1)
    assert delivery.sent_at is not None
    assert delivery.attempt_started_at is None


def test_a_job_that_runs_twice_sends_once(receiver: HTTPServer, delivery_id: int, app_settings: AppSettings) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data()

    send(delivery_id, app_settings)
    send(delivery_id, app_settings)

    assert len(receiver.log) == 1


def test_two_workers_with_the_same_job_send_once(
    app: Flask, receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data()
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        with app.app_context():
            send(delivery_id, app_settings)

    with ThreadPoolExecutor(2) as threads:
        results = [threads.submit(work) for _ in range(2)]

    assert [result.result() for result in results] == [None, None]
    assert len(receiver.log) == 1


def test_a_delivery_that_was_not_looked_up_is_reported_before_its_claim(
    receiver: HTTPServer, seeded: SeededIds, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data()
    reported = []

    def report(ready: ReadyDelivery) -> None:
        reported.append((ready, _get(delivery_id).attempt_started_at))

    send(delivery_id, app_settings, report=report)

    assert reported == [(ReadyDelivery(delivery_id, seeded.destination, _get(delivery_id).workspace_id), None)]
    assert _get(delivery_id).status is DeliveryStatus.SENT


def test_an_unknown_delivery_is_ignored(app_settings: AppSettings, seeded: SeededIds) -> None:
    send(4711, app_settings)


def test_the_row_is_claimed_and_unlocked_before_the_message_is_sent(
    app: Flask, receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    seen = []

    def read_row(_request: Request) -> Response:
        with app.app_context():  # a lock still held would make this update wait
            row = _get(delivery_id)
            seen.append((row.status, row.attempt_started_at is not None, row.attempt_count))
            db.session.execute(update(AlertDelivery).values(payload=row.payload))
            db.session.commit()
        return Response()

    receiver.expect_request(SECRET_PATH).respond_with_handler(read_row)

    send(delivery_id, app_settings)

    assert seen == [(DeliveryStatus.QUEUED, True, 1)]


def _account() -> Account:
    return db.session.scalars(select(Account)).first() or pytest.fail("no account exists")


def _disable(destination: AlertDestination, app_settings: AppSettings) -> None:
    set_enabled(destination, _account(), False, datetime.now(UTC))


def _delete(destination: AlertDestination, app_settings: AppSettings) -> None:
    delete_destination(destination, _account(), datetime.now(UTC))


def _change(destination: AlertDestination, app_settings: AppSettings) -> None:
    settings = {"address": "https://elsewhere.example.com/", "signing_secret": "whsec_"}
    change_destination(destination, _account(), destination.name, settings, app_settings.cipher, datetime.now(UTC))


@pytest.mark.parametrize(
    ("change", "code"),
    [(_disable, "destination_disabled"), (_delete, "destination_deleted"), (_change, "destination_changed")],
)
def test_a_change_of_the_destination_after_the_press_cancels_the_test(
    seeded: SeededIds,
    receiver: HTTPServer,
    delivery_id: int,
    app_settings: AppSettings,
    change: Callable[[AlertDestination, AppSettings], None],
    code: str,
) -> None:
    change(get_destination(seeded), app_settings)

    send(delivery_id, app_settings)

    assert (_outcome(delivery_id), len(receiver.log)) == ((DeliveryStatus.CANCELED, code, 0), 0)


def test_a_renamed_destination_is_still_tested(
    seeded: SeededIds, receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data()
    destination = get_destination(seeded)
    change_destination(destination, get_account(seeded), "Another name", {}, app_settings.cipher, datetime.now(UTC))

    send(delivery_id, app_settings)

    assert _get(delivery_id).status is DeliveryStatus.SENT


def test_settings_that_cannot_be_decrypted_end_the_test_as_config_unreadable_and_are_logged(
    seeded: SeededIds, delivery_id: int, app_settings: AppSettings, caplog: pytest.LogCaptureFixture
) -> None:
    get_destination(seeded).config = "damaged"
    db.session.commit()

    send(delivery_id, app_settings)

    assert _outcome(delivery_id) == (DeliveryStatus.FAILED, "config_unreadable", 0)
    (record,) = [record for record in caplog.records if record.message == "settings cannot be decrypted"]
    assert (record.levelname, record.__dict__["destination"]) == ("WARNING", seeded.destination)
    assert "ALERTCHECK_CONFIG_KEYS of this process" in record.__dict__["advice"]


def test_settings_copied_from_another_destination_cannot_be_decrypted(
    seeded: SeededIds, delivery_id: int, app_settings: AppSettings
) -> None:
    foreign = db.session.get_one(AlertDestination, seeded.foreign_destination)
    get_destination(seeded).config = foreign.config
    db.session.commit()

    send(delivery_id, app_settings)

    assert _outcome(delivery_id) == (DeliveryStatus.FAILED, "config_unreadable", 0)


def test_a_refused_message_fails_at_once_with_its_cause(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=404)

    send(delivery_id, app_settings)

    assert _outcome(delivery_id) == (DeliveryStatus.FAILED, "not_found", 1)
    sentence = "127.0.0.1 answered 404: it does not know this address, or no longer accepts it."
    assert _get(delivery_id).last_error_message == sentence


def test_a_delivery_is_deferred_if_nothing_was_delivered(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=503, headers={"Retry-After": "7"})

    send(delivery_id, app_settings)

    delivery = _get(delivery_id)
    assert (delivery.status, delivery.last_error_code) == (DeliveryStatus.DEFERRED, "remote_unavailable")
    assert delivery.send_after is not None
    assert seconds(6) < delivery.send_after - delivery.updated_at <= seconds(7)


def test_the_third_failed_attempt_is_the_last(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=503)
    for _ in range(3):
        send(delivery_id, app_settings)
        recover_at(app_settings, datetime.now(UTC) + seconds(60))

    assert _outcome(delivery_id) == (DeliveryStatus.FAILED, "remote_unavailable", 3)


def test_every_attempt_carries_the_same_message_id(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=503)
    send(delivery_id, app_settings)
    recover_at(app_settings, datetime.now(UTC) + seconds(60))
    send(delivery_id, app_settings)

    first, second = (request.headers["webhook-id"] for request, _ in receiver.log)
    assert first == second == _get(delivery_id).payload["message_id"]


def test_a_job_that_runs_after_two_minutes_sends_nothing(
    seeded: SeededIds, receiver: HTTPServer, app_settings: AppSettings
) -> None:
    old = add_delivery(get_destination(seeded), created_at=datetime.now(UTC) - seconds(121))

    send(old.id, app_settings)

    assert len(receiver.log) == 0


def test_a_worker_changes_nothing_after_its_attempt_was_marked_lost(
    app: Flask, receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    def mark_lost(_request: Request) -> Response:
        with app.app_context():
            recover_at(app_settings, datetime.now(UTC), datetime.now(UTC) + seconds(20))
        return Response()

    receiver.expect_request(SECRET_PATH).respond_with_handler(mark_lost)

    send(delivery_id, app_settings)

    assert _outcome(delivery_id) == (DeliveryStatus.FAILED, "worker_lost", 1)


def test_an_unexpected_error_shows_only_its_reference(
    seeded: SeededIds, app_settings: AppSettings, caplog: pytest.LogCaptureFixture
) -> None:
    delivery_id = add_delivery(
        get_destination(seeded),
        created_at=datetime.now(UTC),
        payload={
            **dict.fromkeys(("message_id", "reference", "workspace", "destination"), "x"),
            "requested_at": "2026-05-04T09:30:00+00:00",
            "requested_by": 5,  # a channel expects text here
        },
    ).id

    with caplog.at_level(logging.DEBUG):
        send(delivery_id, app_settings)

    delivery = _get(delivery_id)
    assert (delivery.status, delivery.last_error_code) == (DeliveryStatus.FAILED, "internal_error")
    assert delivery.last_error_message is not None
    assert delivery.last_error_message.split("reference ")[1][:8] in caplog.text
    assert SECRET_PATH not in caplog.text


def test_an_unreadable_payload_ends_as_internal_error(seeded: SeededIds, app_settings: AppSettings) -> None:
    delivery_id = add_delivery(get_destination(seeded), created_at=datetime.now(UTC), payload={"unexpected": 1}).id

    send(delivery_id, app_settings)

    assert _outcome(delivery_id) == (DeliveryStatus.FAILED, "internal_error", 0)


def test_a_deferred_test_is_superseded_by_a_newer_press(
    seeded: SeededIds, receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=503)
    send(delivery_id, app_settings)
    add_delivery(get_destination(seeded), created_at=datetime.now(UTC))
    recover_at(app_settings, datetime.now(UTC) + seconds(60))

    send(delivery_id, app_settings)

    assert (_outcome(delivery_id), len(receiver.log)) == ((DeliveryStatus.CANCELED, "superseded", 1), 1)


def test_an_outcome_is_recorded_after_the_database_was_briefly_unavailable(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data()
    failures = iter([True, True, False])
    commit = db.session.commit

    def commit_unless_unavailable() -> None:
        if len(receiver.log) > 0 and next(failures):
            raise OperationalError("COMMIT", {}, Exception("unavailable"))
        commit()

    monkeypatch.setattr(db.session, "commit", commit_unless_unavailable)
    send(delivery_id, app_settings)

    assert _outcome(delivery_id) == (DeliveryStatus.SENT, None, 1)


@pytest.mark.parametrize(
    ("status", "code"),
    [(302, "sign_in_page"), (502, "gateway_gave_up"), (504, "gateway_gave_up"), (520, "gateway_gave_up")],
)
def test_a_message_that_may_have_arrived_behind_a_gateway_is_not_sent_again(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings, status: int, code: str
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=status)

    send(delivery_id, app_settings)

    assert _outcome(delivery_id) == (DeliveryStatus.FAILED, code, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_waiting_time_of_an_hour_is_not_waited_for_but_shown(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings, status: int
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data(status=status, headers={"Retry-After": "3600"})

    send(delivery_id, app_settings)

    outcome = describe_outcome(_get(delivery_id), "webhook")
    assert _get(delivery_id).status is DeliveryStatus.FAILED
    assert "It asks to wait 1 hour, until " in outcome.sentence
    assert "when the waiting time is over" in (outcome.next_step or "")


def test_a_web_page_is_accepted_and_its_warning_shown(
    receiver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    receiver.expect_request(SECRET_PATH).respond_with_data("<html>Sign in</html>", content_type="text/html")

    send(delivery_id, app_settings)

    assert describe_outcome(_get(delivery_id), "webhook").sentence == (
        "Accepted by the receiver. 127.0.0.1 answered with a web page, as sign-in and error pages do. Check that the "
        "message arrived."
    )
