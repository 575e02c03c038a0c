"""Real alerts are sent like test sends, with a retry policy of their own, and only if the settings allow it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import (
    SECRET_PATH,
    SeededIds,
    add_real_alert,
    begin_claim_record,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp.deliveries import send
from webapp.deliveries.messages import read_message
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings, read_settings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture
def sending_settings(app_settings: AppSettings) -> AppSettings:
    """The settings of an installation that sends real alerts."""
    return replace(app_settings, real_alert_retry_delays=(seconds(60), seconds(1800)))


def _add(seeded: SeededIds, age: float = 0, **facts: Any) -> int:
    at = datetime.now(UTC) - seconds(age)
    return add_real_alert(get_destination(seeded), created_at=at, payload={"title": "Disk full"}, **facts).id


@pytest.fixture
def alert(seeded: SeededIds) -> int:
    """The id of a real alert that has just fired."""
    return _add(seeded)


def _outcome(alert: int) -> tuple[DeliveryStatus, str | None, int]:
    row = db.session.get_one(AlertDelivery, alert, populate_existing=True)
    return row.status, row.last_error_code, row.attempt_count


def test_a_real_alert_is_not_sent_if_another_program_sends_them(
    alert: int, httpserver: HTTPServer, app_settings: AppSettings
) -> None:
    send(alert, app_settings)

    assert (_outcome(alert), httpserver.log) == ((DeliveryStatus.QUEUED, None, 0), [])


def test_a_real_alert_arrives_and_is_not_marked_as_a_test(
    alert: int, httpserver: HTTPServer, sending_settings: AppSettings
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()

    send(alert, sending_settings)

    body = httpserver.log[0][0].get_json()
    assert (_outcome(alert), body["type"]) == ((DeliveryStatus.SENT, None, 1), "heartbeat.missing")
    assert (body["data"]["title"], body["data"]["rule"]) == ("Disk full (Harbor Logistics)", "A rule")
    assert "TEST" not in str(body)


def _read_ids(alert: int, *installations: AppSettings) -> list[str]:
    row = db.session.get_one(AlertDelivery, alert)
    return [read_message(row, app_settings).message_id for app_settings in installations]


def test_every_attempt_of_a_real_alert_has_the_same_id(
    alert: int, httpserver: HTTPServer, sending_settings: AppSettings
) -> None:
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=503)
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data()
    send(alert, sending_settings)
    recover_at(sending_settings, datetime.now(UTC) + seconds(90))
    send(alert, sending_settings)

    first, second = (request.headers["webhook-id"] for request, _ in httpserver.log)
    assert first == second == _read_ids(alert, sending_settings)[0]


def test_real_alerts_with_the_same_number_have_different_ids(
    alert: int, environment: dict[str, str], sending_settings: AppSettings
) -> None:
    elsewhere = read_settings(environment | {"SECRET_KEY": "the key of another installation that sends mail"})
    ids = _read_ids(alert, sending_settings, elsewhere)
    db.session.get_one(AlertDelivery, alert).created_at += seconds(1)  # another one, after a restore
    ids += _read_ids(alert, sending_settings)

    assert len(set(ids)) == 3


def test_a_failed_real_alert_is_retried_after_the_configured_delay(
    alert: int, httpserver: HTTPServer, sending_settings: AppSettings
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data(status=503)
    send(alert, sending_settings)
    soon, later = datetime.now(UTC) + seconds(50), datetime.now(UTC) + seconds(90)

    assert _outcome(alert) == (DeliveryStatus.DEFERRED, "remote_unavailable", 1)
    assert recover_at(sending_settings, soon) == []
    assert recover_at(sending_settings, later) == [alert]


def test_a_real_alert_whose_worker_was_lost_fails_and_is_not_sent_again(
    seeded: SeededIds, sending_settings: AppSettings
) -> None:
    now = datetime.now(UTC)
    alert = _add(seeded, attempt_started_at=now, attempt_count=1)

    assert recover_at(sending_settings, now, now + seconds(20)) == []
    assert _outcome(alert) == (DeliveryStatus.FAILED, "worker_lost", 1)


def test_a_real_alert_that_is_a_day_old_is_not_sent(seeded: SeededIds, sending_settings: AppSettings) -> None:
    begin_claim_record()
    alert = _add(seeded, age=86_400)

    send(alert, sending_settings)
    recover_at(sending_settings, datetime.now(UTC))

    assert _outcome(alert) == (DeliveryStatus.FAILED, "not_started", 0)
