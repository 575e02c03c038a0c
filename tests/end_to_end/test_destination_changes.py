"""A destination is changed at every moment of a test send: what has not begun is not sent, what is in the air is.

What happens to it between the press and the job is told in tests/deliveries/test_sending.py.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.deliveries.recovery_passes import recover_at
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination, on_both_databases, seconds
from webapp.deliveries import claiming, request_test, send
from webapp.deliveries.transitions import apply_transition
from webapp.destinations.editing import change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

Happens = Callable[[SeededIds, AppSettings], None]


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
    ("happens", "code"),
    [(_disable, "destination_disabled"), (_delete, "destination_deleted"), (_edit, "destination_changed")],
    ids=["disabled", "deleted", "edited"],
)


@pytest.fixture
def delivery_id(seeded: SeededIds) -> int:
    """A test send that was pressed just now."""
    return request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))


@pytest.fixture
def meanwhile(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> Callable[[Happens], None]:
    """Let something happen as in another process: with a connection of its own, and committed."""

    def let_happen(happens: Happens) -> None:
        with app.app_context():
            happens(seeded, app_settings)

    return let_happen


def _outcome(delivery_id: int) -> tuple[DeliveryStatus, str | None, int]:
    delivery = db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)
    return delivery.status, delivery.last_error_code, delivery.attempt_count


def _answer_after(meanwhile: Callable[[Happens], None], happens: Happens, status: int) -> Callable[[Request], Response]:
    """A far end that has the message when something happens to the destination, and answers then."""

    def answer(_request: Request) -> Response:
        meanwhile(happens)
        return Response(status=status)

    return answer


# Between the look at the destination and the claim


@every_change
def test_what_happens_between_the_look_and_the_claim_keeps_the_message_from_going_out(
    httpserver: HTTPServer,
    delivery_id: int,
    app_settings: AppSettings,
    meanwhile: Callable[[Happens], None],
    monkeypatch: pytest.MonkeyPatch,
    happens: Happens,
    code: str,
) -> None:
    def change_first(*arguments: Any, **named: Any) -> bool:
        meanwhile(happens)
        return apply_transition(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(claiming, "apply_transition", change_first)
        send(delivery_id, app_settings)
    left_behind = _outcome(delivery_id)
    now = datetime.now(UTC)
    reminded = recover_at(app_settings, now, now + seconds(10))
    send(delivery_id, app_settings)

    assert (left_behind, reminded) == ((DeliveryStatus.QUEUED, None, 0), [delivery_id])
    assert _outcome(delivery_id) == (DeliveryStatus.CANCELED, code, 0)
    assert httpserver.log == []


# While the message is in the air


@pytest.mark.parametrize(
    ("status", "ending"),
    [(200, (DeliveryStatus.SENT, None, 1)), (404, (DeliveryStatus.FAILED, "not_found", 1))],
    ids=["accepted", "refused"],
)
@pytest.mark.parametrize("happens", [_disable, _delete, _edit])
def test_a_message_in_the_air_ends_by_what_the_far_end_says_whatever_happens_to_the_destination(
    httpserver: HTTPServer,
    delivery_id: int,
    app_settings: AppSettings,
    meanwhile: Callable[[Happens], None],
    happens: Happens,
    status: int,
    ending: tuple[DeliveryStatus, str | None, int],
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_handler(_answer_after(meanwhile, happens, status))

    send(delivery_id, app_settings)

    assert (_outcome(delivery_id), len(httpserver.log)) == (ending, 1)


@every_change
def test_a_message_that_the_far_end_was_too_busy_for_is_not_tried_again_if_the_destination_changed_meanwhile(
    httpserver: HTTPServer,
    delivery_id: int,
    app_settings: AppSettings,
    meanwhile: Callable[[Happens], None],
    happens: Happens,
    code: str,
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_handler(_answer_after(meanwhile, happens, 503))

    send(delivery_id, app_settings)
    _try_again(delivery_id, app_settings)

    assert (_outcome(delivery_id), len(httpserver.log)) == ((DeliveryStatus.CANCELED, code, 1), 1)


# While it is deferred


@pytest.fixture
def deferred(httpserver: HTTPServer, delivery_id: int, app_settings: AppSettings) -> int:
    """A test send whose far end was too busy for it, once."""
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=503)
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data()
    send(delivery_id, app_settings)
    return delivery_id


def _try_again(delivery_id: int, app_settings: AppSettings) -> None:
    assert recover_at(app_settings, datetime.now(UTC) + seconds(10)) == [delivery_id]
    send(delivery_id, app_settings)


@every_change
def test_what_happens_while_a_test_is_deferred_ends_it_at_its_next_attempt_with_nothing_sent(
    httpserver: HTTPServer,
    deferred: int,
    app_settings: AppSettings,
    meanwhile: Callable[[Happens], None],
    happens: Happens,
    code: str,
) -> None:
    meanwhile(happens)
    before = _outcome(deferred)

    _try_again(deferred, app_settings)

    assert before == (DeliveryStatus.DEFERRED, "remote_unavailable", 1)
    assert (_outcome(deferred), len(httpserver.log)) == ((DeliveryStatus.CANCELED, code, 1), 1)


def test_a_destination_that_was_disabled_for_a_moment_gets_its_deferred_test(
    httpserver: HTTPServer,
    deferred: int,
    seeded: SeededIds,
    app_settings: AppSettings,
    meanwhile: Callable[[Happens], None],
) -> None:
    meanwhile(_disable)
    set_enabled(get_destination(seeded), get_account(seeded), True, datetime.now(UTC))

    _try_again(deferred, app_settings)

    assert (_outcome(deferred), len(httpserver.log)) == ((DeliveryStatus.SENT, None, 2), 2)
