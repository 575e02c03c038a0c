"""An installation whose clock a test moves, members with verified addresses, and a mail server that counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert
from tests.mailbox import deliver_mails, mail_settings, read_mails
from tests.scripted_mail_server import ScriptedMailServer
from webapp.app_state import app_state
from webapp.deliveries import record_by_member
from webapp.deliveries.transitions import EXPIRE, apply_transition, error_columns
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import (
    Account,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DestinationProblem,
    Notice,
    Receipt,
)
from webapp.notices.worker_rounds import NoticeRounds

# Of every message that is accepted here.
REFERENCE = "K7QM4T"


@dataclass
class MovedClock:
    """A clock that stands until a test moves it."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def estimate(self) -> datetime:
        return self.at


@dataclass
class Installation:
    """What a test does to an installation, and what came of it."""

    app: Flask
    clock: MovedClock
    mailbox: ScriptedMailServer
    seeded: SeededIds

    def work(self, *, is_mail_sent: bool = True) -> None:
        """Do one round of a worker, send the mails, and take over what became of them."""
        for _ in range(2):
            self.do_round()
            if is_mail_sent:
                deliver_mails(self.app)

    def work_and_leave_results(self) -> None:
        """Do one round of a worker, and send the mails. The next round takes over what became of them."""
        self.do_round()
        deliver_mails(self.app)

    def do_round(self) -> None:
        with self.app.app_context():
            NoticeRounds(clock=lambda: 0.0).run(self.clock.at)

    def wait(self, **span: float) -> None:
        self.clock.at += timedelta(**span)

    def fail(self, destination_id: int | None = None) -> None:
        """Let a real alert to a destination end as failed."""
        with self.destination(destination_id) as destination:
            delivery = add_real_alert(destination, created_at=self.clock.at)
            apply_transition(EXPIRE, delivery.id, self.clock.at, **error_columns(Code.NOT_FOUND))
            db.session.commit()

    def accept(self, destination_id: int | None = None, warning: str | None = None) -> int:
        """Let a test be accepted a second later, and return its id. warning: what stands beside Sent."""
        self.wait(seconds=1)
        with self.destination(destination_id) as destination:
            sent = DeliveryStatus.SENT
            facts = {"status": sent, "created_at": self.clock.at, "sent_at": self.clock.at}
            shown = {"payload": {"reference": REFERENCE}, "last_error_message": warning}
            return add_delivery(destination, **facts, **shown).id

    def report(self, delivery_id: int, receipt: Receipt) -> None:
        """Let the admin say whether a message arrived, a second later."""
        self.wait(seconds=1)
        with self.app.app_context():
            delivery = db.session.get_one(AlertDelivery, delivery_id)
            admin = db.session.get_one(Account, self.seeded.admin)
            assert record_by_member(delivery, admin, receipt, self.clock.at)

    @contextmanager
    def destination(self, destination_id: int | None = None) -> Iterator[AlertDestination]:
        with self.app.app_context():
            yield db.session.get_one(AlertDestination, destination_id or self.seeded.destination)

    def list_subjects(self) -> list[str]:
        return [f"{mail['To']}: {mail['Subject']}" for mail in read_mails(self.mailbox)]

    def list_problems(self) -> list[tuple[str, str | None]]:
        """Return the kind of each problem, and how it ended."""
        with self.app.app_context():
            rows = db.session.scalars(select(DestinationProblem).order_by(DestinationProblem.id)).all()
            return [(row.kind, row.end_reason) for row in rows]

    def list_notices(self) -> list[str]:
        with self.app.app_context():
            return [notice.status.value for notice in db.session.scalars(select(Notice).order_by(Notice.id))]


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


@pytest.fixture
def installation(app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer) -> Installation:
    clock = MovedClock()
    app_state(app).clock = clock
    with app.app_context():
        db.session.execute(update(Account).values(email_verified_at=NOW))
        db.session.commit()
    return Installation(app, clock, mailbox, seeded)
