"""Drills with real workers: the schedule alone sends a message, once, and the administrator's monitoring is pinged."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select

from benchmarks.installation.processes import Stack, wait_until
from tests.factories import SECRET_PATH, SeededIds, get_destination, on_both_databases
from webapp.drills.requesting import ROUND_INTERVAL
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, DrillInterval, DrillSchedule, Ping

pytestmark = pytest.mark.slow

PING_PATH = "/ping/canary-5b0d"


@pytest.fixture
def environment(environment: dict[str, str], httpserver: HTTPServer) -> dict[str, str]:
    return environment | {"ALERTCHECK_PING_URL": httpserver.url_for(PING_PATH)}


def _turn_on(seeded: SeededIds) -> None:
    """Turn drills on with a window that every slot of it has passed, and that is open for another hour at least."""
    now, month_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(days=30)
    get_destination(seeded).created_at = month_ago
    hours = {"from_hour": (now.hour - 6) % 24, "to_hour": (now.hour + 1) % 24 + 1}
    schedule = {"interval": DrillInterval.WEEKLY, "weekdays": "1234567", "time_zone": "UTC", **hours}
    db.session.add(DrillSchedule(workspace_id=seeded.harbor, started_at=month_ago, updated_at=now, **schedule))
    db.session.commit()


def _list_drills(app: Flask) -> list[DeliveryStatus]:
    with app.app_context():
        return list(db.session.scalars(select(AlertDelivery.status).where(AlertDelivery.drill.is_not(None))))


def _has_accepted_ping(app: Flask) -> bool:
    with app.app_context():
        return db.session.scalar(select(Ping.id).where(Ping.accepted_at.is_not(None))) is not None


@on_both_databases
def test_two_workers_send_a_drill_that_is_due_once(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    httpserver.expect_request(PING_PATH).respond_with_data("OK")
    with app.app_context():
        _turn_on(seeded)

    stack.start_worker()
    stack.start_worker()

    wait_until(lambda: _list_drills(app) == [DeliveryStatus.SENT])
    wait_until(lambda: _has_accepted_ping(app))
    time.sleep(1.5 * ROUND_INTERVAL)  # in which another round would send another one
    assert _list_drills(app) == [DeliveryStatus.SENT]
    messages = [request for request, _ in httpserver.log if request.path == SECRET_PATH]
    assert len(messages) == 1
    assert json.loads(messages[0].get_data())["data"]["title"] == "[TEST] Scheduled drill from Harbor Logistics"
    assert len([request for request, _ in httpserver.log if request.path == PING_PATH]) == 1
