"""The deletion of a visit: nothing is left of it, nobody else loses anything, and a test under way does no harm."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.deliveries.recovery.recovery_passes import recover
from tests.demo.public_demo import DemoVisitor, get_visit, list_deliveries, list_destinations
from tests.factories import on_both_databases
from webapp import deliveries
from webapp.app_state import current_settings
from webapp.deliveries.attempts.claiming import claim
from webapp.deliveries.attempts.recording import AttemptResult, end_attempt, record
from webapp.deliveries.attempts.sending import send
from webapp.deliveries.transitions import ACCEPT, DEFER
from webapp.demo.visits.capacity import GRACE_PERIOD
from webapp.demo.visits.ended_visits import delete_ended_visit
from webapp.extensions import Base, db
from webapp.models import AlertDelivery, DeliveryStatus, DemoVisit, database_clock
from webapp.worker.maintenance import Maintenance

ADDED = {
    "name": "Another",
    "address": "https://hooks.demo.example/webhook/works",
    "signing_secret": "whsec_" + "QUJD" * 11,
}
FAULTY = {"name": "Faulty", "address": "https://example.com", "signing_secret": ADDED["signing_secret"]}


def _count_rows() -> dict[str, int | None]:
    """Count the rows of every table. That the installation has had an account is no visitor's row."""
    tables = [table for table in Base.metadata.sorted_tables if table.name != "set_up"]
    return {table.name: db.session.scalar(select(func.count()).select_from(table)) for table in tables}


def _be_busy(app: Flask, visitor: DemoVisitor) -> None:
    """Do everything that writes rows."""
    with app.app_context():
        first, second, *_ = list_destinations(get_visit(visitor))
    home = f"/w/{visitor.slug}"
    visitor.post(f"{home}/destinations/{first}/test")
    visitor.post(f"{home}/test-all")
    visitor.post(f"{home}/destinations/new/webhook", ADDED)
    visitor.post(f"{home}/destinations/{second}/disable")
    visitor.post(f"{home}/destinations/{second}/delete")
    with app.app_context():
        newest = max(list_deliveries(get_visit(visitor)))
        db.session.execute(
            update(AlertDelivery)
            .where(AlertDelivery.id == newest)
            .values(attempt_started_at=None, status="failed", last_error_code="worker_lost")
        )
        db.session.commit()
    visitor.post(f"{home}/destinations/{first}/plan")
    visitor.post(f"{home}/destinations/new/webhook", FAULTY)
    visitor.post(f"{home}/destinations/{first}/receipt", {"seen": "yes", "delivery": str(newest)})


def _end(visit: DemoVisit, ago: timedelta = GRACE_PERIOD) -> None:
    visit.ends_at = database_clock.now() - ago
    db.session.commit()


@on_both_databases
def test_nothing_is_left_of_a_visit_and_another_one_stays_whole(app: Flask, tmp_path: Path) -> None:
    other = DemoVisitor.started(app)
    with app.app_context():
        before = _count_rows()
    visitor = DemoVisitor.started(app)
    _be_busy(app, visitor)
    with app.app_context():
        _end(get_visit(visitor))
        busy = _count_rows()
        delete_ended_visit(database_clock.now())
        after = _count_rows()

    assert after == before
    assert {name for name, count in busy.items() if count != before[name]} >= {
        *("accounts", "alert_deliveries", "alert_destinations", "audit_events", "batches", "demo_visits"),
        *("form_drafts", "members", "planned_tests", "search_keys", "sign_ins", "workspaces"),
    }
    assert len(list((tmp_path / "inboxes").glob("*.sqlite"))) == 1
    assert other.get("/", follow_redirects=True).status_code == 200


@on_both_databases
@pytest.mark.parametrize(("ago", "is_left"), [(59, True), (60, False)])
def test_a_visit_is_deleted_a_minute_after_its_end(app: Flask, ago: int, is_left: bool) -> None:
    visitor = DemoVisitor.started(app)
    with app.app_context():
        visit = get_visit(visitor)
        now = visit.ends_at + timedelta(seconds=ago)
        delete_ended_visit(now)

        assert (db.session.scalar(select(DemoVisit.account_id)) is not None) is is_left


@on_both_databases
def test_the_worker_deletes_one_visit_in_each_run(app: Flask) -> None:
    DemoVisitor.started(app)
    DemoVisitor.started(app)
    with app.app_context():
        db.session.execute(update(DemoVisit).values(ends_at=database_clock.now() - GRACE_PERIOD))
        db.session.commit()
    maintenance = Maintenance(app)
    left = []
    for _ in range(3):
        assert maintenance.run() is None
        with app.app_context():
            left.append(db.session.scalar(select(func.count()).select_from(DemoVisit)))

    assert left == [1, 0, 0]


@on_both_databases
def test_a_test_that_is_being_sent_is_recorded_nowhere_and_raises_nothing(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    with app.app_context():
        destination = list_destinations(get_visit(visitor))[2]
    visitor.post(f"/w/{visitor.slug}/destinations/{destination}/test")
    with app.app_context():
        visit = get_visit(visitor)
        delivery_id, now = max(list_deliveries(visit)), database_clock.now()
        attempt = claim(delivery_id, current_settings(), now)
        assert attempt
        _end(visit)
        delete_ended_visit(database_clock.now())
        result = AttemptResult(ACCEPT, {"sent_at": now, "answer_status": 200, "last_error_code": None})
        record(end_attempt(attempt, result, 1), now)

        assert db.session.get(AlertDelivery, delivery_id) is None


@on_both_databases
@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED])
def test_a_test_that_waits_is_gone_and_its_job_does_nothing(app: Flask, status: DeliveryStatus) -> None:
    visitor = DemoVisitor.started(app)
    with app.app_context():
        destination = list_destinations(get_visit(visitor))[2]
    visitor.post(f"/w/{visitor.slug}/destinations/{destination}/test")
    with app.app_context():
        visit, tracker = get_visit(visitor), deliveries.WaitTracker()
        delivery_id, now = max(list_deliveries(visit)), database_clock.now()
        if status is DeliveryStatus.DEFERRED:
            attempt = claim(delivery_id, current_settings(), now)
            assert attempt
            result = AttemptResult(
                DEFER, {"send_after": now + timedelta(minutes=1), "last_error_code": "not_found", "answer_status": 404}
            )
            record(end_attempt(attempt, result, 1), now)
        recover(now, current_settings(), tracker)
        _end(visit)
        delete_ended_visit(database_clock.now())
        send(delivery_id, current_settings())

        assert recover(now + timedelta(hours=1), current_settings(), tracker) == []


@on_both_databases
def test_a_deletion_that_was_interrupted_is_repeated(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = DemoVisitor.started(app)
    with app.app_context():
        _end(get_visit(visitor))
        before = _count_rows()
        now = database_clock.now()
        with monkeypatch.context() as patched:
            patched.setattr("webapp.demo.visits.ended_visits._delete_rows", _fail)
            with pytest.raises(RuntimeError):
                delete_ended_visit(now)
        db.session.rollback()
        assert _count_rows() == before
        delete_ended_visit(database_clock.now())

        assert set(_count_rows().values()) == {0}


def _fail(*_arguments: object) -> None:
    raise RuntimeError
