"""A row keeps every attempt of its delivery, with the duration and the response."""

from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer

from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import (
    NOW,
    SECRET_PATH,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp.deliveries import request_test, send
from webapp.deliveries.attempts.past_attempts import PastAttempt, add_attempt, list_attempts
from webapp.extensions import db
from webapp.models import AlertDelivery
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def _list(delivery_id: int) -> list[PastAttempt]:
    return list_attempts(db.session.get_one(AlertDelivery, delivery_id, populate_existing=True))


def test_every_attempt_is_kept_in_order_with_its_response(
    seeded: SeededIds, httpserver: HTTPServer, app_settings: AppSettings
) -> None:
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=503)
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=202)
    delivery_id = request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))

    send(delivery_id, app_settings)
    recover_at(app_settings, datetime.now(UTC) + seconds(60))
    send(delivery_id, app_settings)

    first, second = _list(delivery_id)
    assert (first.number, first.code, first.answer_status) == (1, "remote_unavailable", 503)
    assert (second.number, second.code, second.answer_status) == (2, None, 202)
    assert first.started_at < second.started_at
    assert 0 < (second.seconds or 0) < 5


def test_an_attempt_whose_worker_was_lost_is_kept_too(seeded: SeededIds, app_settings: AppSettings) -> None:
    first = PastAttempt(1, NOW, 0.1, "rate_limited", 429)
    facts = {"attempt_started_at": NOW, "attempt_count": 2, "attempts": add_attempt([], first)}
    delivery_id = add_delivery(get_destination(seeded), **facts).id

    recover_at(app_settings, NOW, NOW + seconds(20))

    assert _list(delivery_id) == [
        first,
        PastAttempt(2, NOW, None, "worker_lost", None),
    ]


def test_a_row_of_an_older_version_has_no_attempts(seeded: SeededIds) -> None:
    assert _list(add_delivery(get_destination(seeded)).id) == []
