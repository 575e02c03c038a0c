"""A destination changes during a test send: a message that is not yet being sent is canceled, any other completes.

Changes between the press and the job are tested in tests/deliveries/attempts/test_sending.py.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination, on_both_databases, seconds
from webapp.deliveries import request_test, send
from webapp.deliveries.attempts import claiming
from webapp.deliveries.transitions import apply_transition
from webapp.destinations.editing import change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

DestinationChange = Callable[[SeededIds, AppSettings], None]


def _disable(seeded: SeededIds, app_settings: AppSettings) -> None:
    set_enabled(get_destination(seeded), get_account(seeded), False, datetime.now(UTC))


def _delete(seeded: SeededIds, app_settings: AppSettings) -> None:
    delete_destination(get_destination(seeded), get_account(seeded), datetime.now(UTC))


def _edit(seeded: SeededIds, app_settings: AppSettings) -> None:
    typed = {"address": "https://elsewhere.example.com/", "signing_secret": ""}
    change_destination(
        get_destination(seeded), get_account(seeded), "Edited", typed, app_settings.cipher, datetime.now(UTC)
    )


every_change = pytest.mark.parametrize(
    ("change", "code"),
    [(_disable, "destination_disabled"), (_delete, "destination_deleted"), (_edit, "destination_changed")],
    ids=["disabled", "deleted", "edited"],
)


@pytest.fixture
def delivery_id(seeded: SeededIds) -> int:
    """A test send that was pressed just now."""
    return request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))


@pytest.fixture
def in_another_process(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> Callable[[DestinationChange], None]:
    """Apply a change as another process does: with a connection of its own, and committed."""

    def apply_change(change: DestinationChange) -> None:
        with app.app_context():
            change(seeded, app_settings)

    return apply_change


def _outcome(delivery_id: int) -> tuple[DeliveryStatus, str | None, int]:
    delivery = db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)
    return delivery.status, delivery.last_error_code, delivery.attempt_count


def _change_then_respond(
    in_another_process: Callable[[DestinationChange], None], change: DestinationChange, status: int
) -> Callable[[Request], Response]:
    """A receiver during whose request the destination changes before it responds."""

    def respond(_request: Request) -> Response:
        in_another_process(change)
        return Response(status=status)

    return respond


# Between reading the destination and the claim


@every_change
def test_a_change_between_reading_and_claiming_cancels_the_delivery(
    httpserver: HTTPServer,
    delivery_id: int,
    app_settings: AppSettings,
    in_another_process: Callable[[DestinationChange], None],
    monkeypatch: pytest.MonkeyPatch,
    change: DestinationChange,
    code: str,
) -> None:
    def change_first(*arguments: Any, **keywords: Any) -> bool:
        in_another_process(change)
        return apply_transition(*arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(claiming, "apply_transition", change_first)
        send(delivery_id, app_settings)
    after_first_job = _outcome(delivery_id)
    now = datetime.now(UTC)
    requeued = recover_at(app_settings, now, now + seconds(10))
    send(delivery_id, app_settings)

    assert (after_first_job, requeued) == ((DeliveryStatus.QUEUED, None, 0), [delivery_id])
    assert _outcome(delivery_id) == (DeliveryStatus.CANCELED, code, 0)
    assert httpserver.log == []


# While the message is being sent


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, (DeliveryStatus.SENT, None, 1)), (404, (DeliveryStatus.FAILED, "not_found", 1))],
    ids=["accepted", "refused"],
)
@pytest.mark.parametrize("change", [_disable, _delete, _edit])
def test_a_message_being_sent_completes_with_the_receivers_response_despite_a_change(
    httpserver: HTTPServer,
    delivery_id: int,
    app_settings: AppSettings,
    in_another_process: Callable[[DestinationChange], None],
    change: DestinationChange,
    status: int,
    outcome: tuple[DeliveryStatus, str | None, int],
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_handler(
        _change_then_respond(in_another_process, change, status)
    )

    send(delivery_id, app_settings)

    assert (_outcome(delivery_id), len(httpserver.log)) == (outcome, 1)


@every_change
def test_a_message_to_a_busy_receiver_is_not_retried_after_a_change(
    httpserver: HTTPServer,
    delivery_id: int,
    app_settings: AppSettings,
    in_another_process: Callable[[DestinationChange], None],
    change: DestinationChange,
    code: str,
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_handler(_change_then_respond(in_another_process, change, 503))

    send(delivery_id, app_settings)
    _retry(delivery_id, app_settings)

    assert (_outcome(delivery_id), len(httpserver.log)) == ((DeliveryStatus.CANCELED, code, 1), 1)


# While the delivery is deferred


@pytest.fixture
def deferred(httpserver: HTTPServer, delivery_id: int, app_settings: AppSettings) -> int:
    """A test send whose receiver was busy at the first attempt."""
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=503)
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data()
    send(delivery_id, app_settings)
    return delivery_id


def _retry(delivery_id: int, app_settings: AppSettings) -> None:
    assert recover_at(app_settings, datetime.now(UTC) + seconds(10)) == [delivery_id]
    send(delivery_id, app_settings)


@every_change
def test_a_change_while_a_test_is_deferred_cancels_it_at_its_next_attempt(
    httpserver: HTTPServer,
    deferred: int,
    app_settings: AppSettings,
    in_another_process: Callable[[DestinationChange], None],
    change: DestinationChange,
    code: str,
) -> None:
    in_another_process(change)
    before = _outcome(deferred)

    _retry(deferred, app_settings)

    assert before == (DeliveryStatus.DEFERRED, "remote_unavailable", 1)
    assert (_outcome(deferred), len(httpserver.log)) == ((DeliveryStatus.CANCELED, code, 1), 1)


def test_a_deferred_test_is_sent_if_its_destination_is_enabled_again(
    httpserver: HTTPServer,
    deferred: int,
    seeded: SeededIds,
    app_settings: AppSettings,
    in_another_process: Callable[[DestinationChange], None],
) -> None:
    in_another_process(_disable)
    set_enabled(get_destination(seeded), get_account(seeded), True, datetime.now(UTC))

    _retry(deferred, app_settings)

    assert (_outcome(deferred), len(httpserver.log)) == ((DeliveryStatus.SENT, None, 2), 2)
