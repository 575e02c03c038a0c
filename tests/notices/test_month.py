"""A month of drills, sends and mails with a moved clock: a destination dies at some moment, and is repaired later."""

from datetime import datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from tests.factories import NOW, SECRET_PATH, on_both_databases
from tests.mailbox import read_mails
from tests.notices.conftest import Installation
from webapp import deliveries
from webapp.app_state import app_state
from webapp.drills.requesting import request_due_drills
from webapp.drills.schedule_slots import SECOND_AFTER, Slot, next_slot, read_schedule
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, DrillInterval, DrillSchedule

pytestmark = [on_both_databases, pytest.mark.slow]

WEEK = timedelta(weeks=1)
MINUTE = timedelta(minutes=1)


class Month:
    """An installation with weekly drills, whose receiver is broken for a while."""

    def __init__(self, installation: Installation, httpserver: HTTPServer) -> None:
        self.installation = installation
        self.broken: tuple[datetime, datetime] = (datetime.max.replace(tzinfo=NOW.tzinfo),) * 2
        self.messages: list[datetime] = []
        httpserver.expect_request(SECRET_PATH).respond_with_handler(self._answer)
        with installation.app.app_context():
            self.schedule = DrillSchedule(
                workspace_id=installation.seeded.harbor,
                interval=DrillInterval.WEEKLY,
                weekdays="12345",
                from_hour=9,
                to_hour=17,
                time_zone="Europe/Berlin",
                started_at=NOW,
                updated_at=NOW,
            )
            db.session.add(self.schedule)
            db.session.commit()
            db.session.refresh(self.schedule)

    def _answer(self, _request: Request) -> Response:
        self.messages.append(self.installation.clock.at)
        begin, end = self.broken
        return Response(status=404 if begin <= self.installation.clock.at < end else 200)

    def find_slot(self) -> Slot:
        schedule, clock = read_schedule(self.schedule), self.installation.clock
        slot = next_slot(schedule, DrillInterval.WEEKLY, self.installation.seeded.destination, clock.at)
        assert slot is not None
        return slot

    def run_until(self, end: datetime) -> None:
        """Let a worker work through the times at which something may be due, and a few times a day beside them."""
        clock = self.installation.clock
        while clock.at < end:
            due_at = self.find_slot().due_at
            second_at = due_at - WEEK + SECOND_AFTER + MINUTE  # that of the slot before
            times = [due_at, second_at, clock.at + timedelta(hours=11), end]
            clock.at = min(moment for moment in times if moment > clock.at)
            self._work()

    def _work(self) -> None:
        app = self.installation.app
        with app.app_context():
            app_state().redis.flushall()  # its limits count by its own clock
            request_due_drills(self.installation.clock.at)
            queued = select(AlertDelivery.id).where(AlertDelivery.status == DeliveryStatus.QUEUED)
            waiting = db.session.scalars(queued).all()
            db.session.rollback()
            for delivery_id in waiting:
                deliveries.send(delivery_id, app_state().settings)
        self.installation.work()

    @property
    def mails(self) -> list[str]:
        return [str(mail["Subject"]).partition(" in ")[0] for mail in read_mails(self.installation.mailbox)]


@pytest.fixture
def month(installation: Installation, httpserver: HTTPServer) -> Month:
    return Month(installation, httpserver)


@pytest.mark.parametrize("hours", [2, 251])
def test_a_destination_that_dies_is_told_within_a_week_and_an_hour_and_its_recovery_once(
    month: Month, hours: int
) -> None:
    dies_at = NOW + timedelta(hours=hours)
    month.broken = (dies_at, dies_at + 2 * WEEK)
    month.run_until(dies_at + WEEK + SECOND_AFTER + 5 * MINUTE)
    assert month.mails == ["1 destination stopped working"]

    month.run_until(dies_at + 2 * WEEK)
    still = month.mails[1:]
    assert still == ["1 destination still fails"] * len(still)
    assert len(still) <= 1  # the drills of the second week failed too

    month.run_until(dies_at + 5 * WEEK)
    assert month.mails == ["1 destination stopped working", *still, "1 destination works again"]


def test_a_destination_that_works_has_a_drill_a_week_and_no_mail(month: Month) -> None:
    month.run_until(NOW + 4 * WEEK)

    assert (len(month.messages), month.mails) == (4, [])


def test_after_a_day_without_a_worker_each_message_is_sent_once(month: Month) -> None:
    due_at = month.find_slot().due_at
    month.installation.clock.at = due_at + timedelta(days=1)

    month.run_until(due_at + timedelta(days=5))

    assert len(month.messages) == 1
    with month.installation.app.app_context():
        destination = db.session.get_one(AlertDestination, month.installation.seeded.destination)
        assert destination.drilled_at == month.messages[0]
