"""Pings: one an hour and one a round, each to one worker, accepted only by the monitoring's own word."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases
from tests.query_plans import record_statements
from tests.views.test_instance import sign_in_as_instance_admin
from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.models import (
    DeliveryStatus,
    DrillInterval,
    DrillNumber,
    DrillSchedule,
    Ping,
    PingKind,
)
from webapp.pings import due
from webapp.pings.report import PingReport, report_pings
from webapp.pings.sending import send_due_pings
from webapp.startup.settings_summary import summarize_settings
from webapp.views.metrics_exposition import Scrape

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

PATH = "/ping/canary-5b0d"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def environment(environment: dict[str, str], httpserver: HTTPServer) -> dict[str, str]:
    return environment | {"ALERTCHECK_PING_URL": httpserver.url_for(PATH)}


@pytest.fixture
def requests(httpserver: HTTPServer) -> list[str]:
    """The methods of the requests that the monitoring got. It answers as Healthchecks does."""
    got: list[str] = []

    def answer(request: Request) -> Response:
        got.append(request.method)
        return Response("OK")

    httpserver.expect_request(PATH).respond_with_handler(answer)
    return got


def list_pings() -> list[tuple[PingKind, datetime, bool]]:
    pings = db.session.scalars(select(Ping).order_by(Ping.id))
    return [(ping.kind, ping.period, ping.accepted_at is not None) for ping in pings]


def add_round(seeded: SeededIds, status: DeliveryStatus = DeliveryStatus.SENT) -> datetime:
    """Add a schedule with a drill in its window, from 7 to 9 o'clock in UTC. Returns when the window ended."""
    ended_at = NOW.replace(hour=9, minute=0)
    schedule = {"interval": DrillInterval.WEEKLY, "weekdays": "1234567", "from_hour": 7, "to_hour": 9}
    times = {"time_zone": "UTC", "started_at": NOW - timedelta(days=9), "updated_at": NOW}
    db.session.add(DrillSchedule(workspace_id=seeded.harbor, **schedule, **times))
    destination = get_destination(seeded)
    requested_at = destination.drilled_at = ended_at - HOUR
    sent_at = requested_at if status is DeliveryStatus.SENT else None
    add_delivery(destination, status=status, drill=DrillNumber.FIRST, created_at=requested_at, sent_at=sent_at)
    return ended_at


def test_one_ping_is_sent_an_hour(requests: list[str]) -> None:
    assert [send_due_pings(NOW + minutes * MINUTE) for minutes in (0, 1, 29, 30)] == [1, 0, 0, 1]

    assert requests == ["GET", "GET"]
    hour = NOW.replace(minute=0)
    assert list_pings() == [(PingKind.HOUR, hour, True), (PingKind.HOUR, hour + HOUR, True)]
    assert report_pings().is_set


def test_workers_at_the_same_time_send_one(app: Flask, requests: list[str]) -> None:
    def ping(_number: int) -> int:
        with app.app_context():
            return send_due_pings(NOW)

    with ThreadPoolExecutor(4) as pool:
        sent = sum(pool.map(ping, range(4)))

    assert (sent, requests) == (1, ["GET"])


@pytest.mark.parametrize(
    "answer",
    [
        Response("no such check", 404),
        Response("OK (not found)"),
        Response("OK (rate limited)"),
        Response("<!doctype html><title>Dashboard</title>", content_type="text/html"),
        Response('{"ok": false}', content_type="application/json"),
    ],
)
def test_a_ping_that_does_not_count_is_tried_three_times(httpserver: HTTPServer, answer: Response) -> None:
    httpserver.expect_request(PATH).respond_with_response(answer)

    assert [send_due_pings(NOW + seconds * timedelta(seconds=1)) for seconds in (0, 59, 60, 120, 180)] == [
        *(1, 0, 1, 1, 0)
    ]

    report = report_pings()
    assert (report.accepted_at, report.code) == (None, "not_found" if answer.status_code == 404 else "remote_rejected")


def test_a_ping_succeeds_at_a_later_attempt(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("busy", status=503)
    httpserver.expect_ordered_request(PATH).respond_with_data("OK")

    send_due_pings(NOW)
    assert report_pings().code == "remote_unavailable"
    send_due_pings(NOW + MINUTE)

    assert report_pings().code is None
    assert report_pings().accepted_at is not None


def test_the_hours_of_an_outage_are_not_made_up(requests: list[str]) -> None:
    send_due_pings(NOW)
    send_due_pings(NOW + timedelta(days=2))

    assert len(requests) == 2


def test_a_round_is_pinged_once_when_its_window_and_its_drills_have_ended(
    seeded: SeededIds, requests: list[str]
) -> None:
    ended_at = add_round(seeded)

    send_due_pings(ended_at - timedelta(seconds=1))
    assert [kind for kind, _, _ in list_pings()] == [PingKind.HOUR]
    send_due_pings(ended_at)
    send_due_pings(ended_at + MINUTE)

    assert [(kind, period) for kind, period, _ in list_pings()][1:] == [
        (PingKind.HOUR, ended_at),
        (PingKind.ROUND, ended_at),
    ]
    assert len(requests) == 3


def test_a_round_with_a_drill_that_waits_is_not_complete(seeded: SeededIds, requests: list[str]) -> None:
    ended_at = add_round(seeded, DeliveryStatus.QUEUED)

    send_due_pings(ended_at)

    assert [kind for kind, _, _ in list_pings()] == [PingKind.HOUR]
    assert len(requests) == 1


def test_workspaces_with_the_same_window_are_asked_for_at_once(seeded: SeededIds, requests: list[str]) -> None:
    """A thousand queries would otherwise take a process that sends longer than a second, every 15 seconds."""
    ended_at = add_round(seeded)

    def count() -> int:
        return len(record_statements(lambda: due.add_due_pings(ended_at + MINUTE)))

    count()  # adds the pings
    few = count()
    own = db.session.scalars(select(DrillSchedule)).one()
    facts = {name: getattr(own, name) for name in ("interval", "weekdays", "from_hour", "to_hour", "time_zone")}
    times = {"started_at": own.started_at, "updated_at": own.updated_at}
    db.session.add(DrillSchedule(workspace_id=seeded.clinic, **facts, **times))
    db.session.commit()
    assert count() == few


def test_an_hour_that_a_wrong_clock_has_pinged_has_its_own_ping(requests: list[str]) -> None:
    send_due_pings(NOW + HOUR)
    send_due_pings(NOW)
    send_due_pings(NOW + HOUR)

    assert requests == ["GET", "GET", "GET"]


def test_old_pings_are_forgotten(requests: list[str]) -> None:
    send_due_pings(NOW)
    send_due_pings(NOW + timedelta(days=31))

    assert len(list_pings()) == 1
    assert len(requests) == 2


def test_neither_a_log_nor_a_row_holds_the_address(httpserver: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    httpserver.expect_request(PATH).respond_with_data("no", status=500)

    send_due_pings(NOW)

    assert "ping failed" in caplog.text
    assert not [record for record in caplog.records if record.name != "werkzeug" and "canary" in str(vars(record))]
    assert "canary" not in str(db.session.execute(select(Ping.__table__)).all())


def test_neither_a_page_nor_a_metric_nor_a_command_shows_the_address(
    app: Flask, seeded: SeededIds, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data("no", status=500)
    send_due_pings(NOW)
    admin = sign_in_as_instance_admin(app, seeded.admin)
    paths = ("/instance", "/instance/mail", "/instance/audit", "/w/harbor/drills", "/w/harbor/problems")

    shown = {path: admin.get(path).text for path in paths}
    shown["check-settings"] = app.test_cli_runner().invoke(args=["check-settings"]).output
    shown["metrics"] = str([metric.samples for metric in Scrape().collect()])
    shown["settings"] = f"{current_settings()} {summarize_settings(current_settings())}"

    assert "failed" in shown["/instance"]
    assert [place for place, text in shown.items() if "canary" in text] == []


class TestWithoutAnAddress:
    """Most installations."""

    @pytest.fixture
    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        return environment | {"ALERTCHECK_PING_URL": ""}

    def test_nothing_is_sent_and_nothing_stored(self, requests: list[str]) -> None:
        assert send_due_pings(NOW) == 0

        assert (list_pings(), requests) == ([], [])
        assert report_pings() == PingReport(is_set=False, accepted_at=None, code=None)
