"""Which destinations are unconfirmed: one rule for the list, the page, the notices and the evidence report."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from tests.factories import NOW, SeededIds, add_delivery, get_destination
from webapp.dashboard.proof_gaps import ProofGap, find_gaps
from webapp.dashboard.status_fragment import load_status
from webapp.dashboard.summaries import list_summaries
from webapp.deliveries.drill_confirmation import CONFIRM_WITHIN
from webapp.evidence.period import Period
from webapp.evidence.unconfirmed import find_unconfirmed
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, DestinationProblem, DrillNumber, Receipt
from webapp.notices.problem_closing import close_problems
from webapp.notices.unconfirmed_problems import open_unconfirmed

# The day after NOW begins at this moment, at which the report of a period up to that day ends.
END = NOW.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
YEAR = Period((END - timedelta(days=365)).date(), NOW.astimezone(UTC).date(), UTC)


@dataclass(frozen=True)
class PastTest:
    """A test send: its age in hours, whether it is a drill, and what became of it."""

    hours: int
    is_drill: bool
    status: DeliveryStatus
    receipt: Receipt | None
    version: int

    @property
    def at(self) -> datetime:
        return END - timedelta(hours=self.hours)


tests = st.builds(
    PastTest,
    st.sampled_from([1, 100, 167, 168, 169, 300, 335, 336, 500]),
    st.booleans(),
    st.sampled_from([DeliveryStatus.SENT, DeliveryStatus.SENT, DeliveryStatus.FAILED]),
    st.sampled_from([None, None, None, *Receipt]),
    st.sampled_from([3, 3, 3, 2]),
)


def decide(rows: list[PastTest], needs_confirmation: bool, *, version: int | None) -> datetime | None:
    """Return when the drill was requested that makes a destination unconfirmed. version: None if none counts."""
    assert timedelta(days=7) == CONFIRM_WITHIN
    old = [row for row in rows if row.is_drill and row.status is DeliveryStatus.SENT and row.hours >= 7 * 24]
    newest = min(old, key=lambda row: row.hours, default=None)
    if newest is None or not needs_confirmation or newest.receipt or version not in (None, newest.version):
        return None
    was_seen = any(row.receipt is Receipt.SEEN and row.hours <= newest.hours for row in rows)
    return None if was_seen else newest.at


@pytest.fixture(params=["sqlite", "postgres"])
def harbor(request: pytest.FixtureRequest, shared: Callable[[str], tuple[Flask, SeededIds]]) -> Any:
    app, seeded = shared(request.param)
    with app.app_context():
        yield seeded


@settings(max_examples=80, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(rows=st.lists(tests, max_size=5, unique_by=lambda row: row.hours), needs_confirmation=st.booleans())
def check(harbor: SeededIds, rows: list[PastTest], needs_confirmation: bool) -> None:
    write(harbor, rows, needs_confirmation)
    expected = decide(rows, needs_confirmation, version=3)

    (summary,) = list_summaries([harbor.harbor], END)
    _, shared = load_status(get_destination(harbor), END)
    on_page = shared.proof[harbor.destination].confirmation
    assert (ProofGap.UNCONFIRMED in find_gaps(summary, END)) == (expected is not None)
    assert (on_page.unconfirmed_at if on_page else None) == expected
    assert mail_about() == expected
    in_report = db.session.get(AlertDelivery, find_unconfirmed(harbor.harbor, YEAR, END).get(harbor.destination, 0))
    assert (in_report.created_at if in_report else None) == decide(rows, needs_confirmation, version=None)


def mail_about() -> datetime | None:
    """Return when the drill was requested about which a problem is opened, and is not closed at once."""
    open_unconfirmed(END)
    close_problems(END)
    db.session.expire_all()
    problem = db.session.query(DestinationProblem).one_or_none()
    assert problem is None or problem.closed_at is None
    return problem.message_at if problem else None


def write(harbor: SeededIds, rows: list[PastTest], needs_confirmation: bool) -> None:
    db.session.rollback()
    db.session.execute(delete(DestinationProblem))
    db.session.execute(delete(AlertDelivery))
    destination = get_destination(harbor)
    destination.needs_confirmation, destination.settings_version = needs_confirmation, 3
    destination.created_at = END - timedelta(days=300)
    for row in rows:
        ended: dict[DeliveryStatus, dict[str, Any]] = {
            DeliveryStatus.SENT: {"sent_at": row.at},
            DeliveryStatus.FAILED: {"last_error_code": "gone"},
        }
        receipt: dict[str, Any] = {"receipt": row.receipt, "receipt_at": row.at} if row.receipt else {}
        drill = DrillNumber.FIRST if row.is_drill else None
        facts: dict[str, Any] = {
            "status": row.status,
            "drill": drill,
            "settings_version": row.version,
            "created_at": row.at,
        }
        add_delivery(destination, **facts, **ended[row.status], **receipt)


def test_every_page_and_every_mail_decides_alike(harbor: SeededIds) -> None:
    check(harbor)
