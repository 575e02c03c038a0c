"""Transactions that lock several problems may wait for one another, but never in a circle."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text

from tests.factories import add_real_alert
from tests.notices.chosen_destinations import add
from tests.notices.conftest import Installation
from webapp.deliveries.transitions import EXPIRE, apply_transition, error_columns
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDestination
from webapp.notices.closing import close_problems

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)

LOCK = "SELECT id FROM destination_problems WHERE alert_destination_id = :destination FOR UPDATE"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_closing_and_new_failures_lock_problems_in_one_order(installation: Installation) -> None:
    low = installation.seeded.destination
    high = add(installation, "slack", "On-call channel")
    # The problem of the destination with the higher id comes first in the table.
    for destination_id in (high, low):
        installation.fail(destination_id)
    for destination_id in (high, low):
        installation.accept(destination_id)

    with installation.app.app_context(), ThreadPoolExecutor(2) as threads:
        with db.engine.begin() as holder, db.engine.connect() as watch:
            holder.execute(text(LOCK), {"destination": high})
            closing = threads.submit(_close, installation)
            _await(watch, 1)
            failing = threads.submit(_fail_together, installation, low, high)
            _await(watch, 2)
        closing.result(timeout=60)
        failing.result(timeout=60)

    accepted, failing_again = ("failing", "accepted"), ("failing", None)
    assert installation.list_problems() == [accepted, accepted, failing_again, failing_again]


def _close(installation: Installation) -> None:
    with installation.app.app_context():
        close_problems(installation.clock.at)
        db.session.commit()


def _fail_together(installation: Installation, *destination_ids: int) -> None:
    """Let a real alert to each destination fail, in one transaction, as the recovery of a worker does."""
    with installation.app.app_context():
        places = [db.session.get_one(AlertDestination, destination_id) for destination_id in destination_ids]
        alerts = [add_real_alert(place, created_at=installation.clock.at).id for place in places]
        for delivery_id in alerts:
            apply_transition(EXPIRE, delivery_id, installation.clock.at, **error_columns(Code.NOT_FOUND))
        db.session.commit()


def _await(watch: Connection, number: int) -> None:
    """Wait until so many transactions wait for a lock."""
    deadline = time.monotonic() + 60
    while watch.execute(text(WAITING)).scalar_one() < number:
        assert time.monotonic() < deadline
        time.sleep(0.05)
