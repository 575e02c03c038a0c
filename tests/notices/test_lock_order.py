"""Transactions that lock several problems may wait for one another, but never in a circle."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

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
        # Within a transaction, PostgreSQL shows who waits as it was at the first look.
        autocommit = db.engine.execution_options(isolation_level="AUTOCOMMIT")
        with db.engine.begin() as holder, autocommit.connect() as watch:
            holder.execute(text(LOCK), {"destination": high})
            closing = threads.submit(_close, installation)
            _await(watch, closing)
            failing = threads.submit(_fail_together, installation, low, high)
            _await(watch, closing, failing)
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


def _await(watch: Connection, *threads: Future[None]) -> None:
    """Wait until each of these threads waits for a lock."""
    deadline = time.monotonic() + 120
    while watch.execute(text(WAITING)).scalar_one() < len(threads):
        for thread in threads:
            if thread.done():
                thread.result()  # raises what went wrong there
        assert time.monotonic() < deadline
        time.sleep(0.3)
