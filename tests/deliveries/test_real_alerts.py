"""Real alerts go the way test sends go, on a schedule of their own, and only where the operator says so."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.deliveries.recovery_passes import recover_at
from tests.factories import SECRET_PATH, SeededIds, add_real_alert, get_destination, on_both_databases, seconds
from webapp.deliveries import send
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture
def sending_config(app_settings: AppSettings) -> AppSettings:
    """The settings of an operator whose installation sends real alerts."""
    return replace(app_settings, real_alert_retry_delays=(seconds(60), seconds(1800)))


def _add(seeded: SeededIds, age: float = 0, **facts: Any) -> int:
    at = datetime.now(UTC) - seconds(age)
    return add_real_alert(get_destination(seeded), created_at=at, payload={"title": "Disk full"}, **facts).id


@pytest.fixture
def alert(seeded: SeededIds) -> int:
    """The id of a real alert that has just fired."""
    return _add(seeded)


def _stand(alert: int) -> tuple[DeliveryStatus, str | None, int]:
    row = db.session.get_one(AlertDelivery, alert, populate_existing=True)
    return row.status, row.last_error_code, row.attempt_count


def test_a_job_for_a_real_alert_sends_nothing_where_another_program_does(
    alert: int, httpserver: HTTPServer, app_settings: AppSettings
) -> None:
    send(alert, app_settings)

    assert (_stand(alert), httpserver.log) == ((DeliveryStatus.QUEUED, None, 0), [])


def test_a_real_alert_arrives_and_does_not_call_itself_a_test(
    alert: int, httpserver: HTTPServer, sending_config: AppSettings
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()

    send(alert, sending_config)

    said = httpserver.log[0][0].get_json()
    assert (_stand(alert), said["type"]) == ((DeliveryStatus.SENT, None, 1), "heartbeat.missing")
    assert (said["data"]["title"], said["data"]["rule"]) == ("Disk full (Harbor Logistics)", "A rule")
    assert "TEST" not in str(said)


def test_a_failed_real_alert_is_tried_again_after_the_operators_wait(
    alert: int, httpserver: HTTPServer, sending_config: AppSettings
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data(status=503)
    send(alert, sending_config)
    soon, later = datetime.now(UTC) + seconds(50), datetime.now(UTC) + seconds(90)

    assert _stand(alert) == (DeliveryStatus.DEFERRED, "remote_unavailable", 1)
    assert recover_at(sending_config, soon) == []
    assert recover_at(sending_config, later) == [alert]


def test_a_real_alert_that_lost_its_worker_ends_and_is_not_sent_again(
    seeded: SeededIds, sending_config: AppSettings
) -> None:
    now = datetime.now(UTC)
    alert = _add(seeded, attempt_started_at=now, attempt_count=1)

    assert recover_at(sending_config, now, now + seconds(20)) == []
    assert _stand(alert) == (DeliveryStatus.FAILED, "worker_lost", 1)


def test_a_real_alert_that_is_a_day_old_is_not_sent_any_more(seeded: SeededIds, sending_config: AppSettings) -> None:
    alert = _add(seeded, age=86_400)

    send(alert, sending_config)
    recover_at(sending_config, datetime.now(UTC))

    assert _stand(alert) == (DeliveryStatus.FAILED, "not_started", 0)
