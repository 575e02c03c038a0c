"""Measures Test all of 1,000 destinations, until each of their tests is written and enqueued."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, update

from benchmarks.installation.installation import Installation
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, install
from webapp import queue
from webapp.auth.access import Visit
from webapp.extensions import db
from webapp.models import TEST_EVENT, Account, AlertDelivery, DeliveryStatus, Role, Workspace
from webapp.presses.batches import press_each
from webapp.presses.testable_destinations import list_candidates

COUNT = 1_000

BARE = "bare insert of 1,000 rows"


def measure(full: bool) -> Table:
    """Press Test all in this process several times. Each column's best counts."""
    rows = []
    for kind in KINDS:
        found = _measure_one(kind, 10 if full else 3)
        rows += [(f"{kind}: {name}", ms, cpu / COUNT, ms / found[BARE][0]) for name, (ms, cpu) in found.items()]
    columns = ("ms", "CPU ms of the web process per destination", "ratio to bare insert")
    return Table("batches", "Test all of 1,000 destinations", columns, rows)


def _measure_one(kind: Kind, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the ms and the CPU ms of each case by its name."""
    with install(kind) as installation:
        for number in range(COUNT):  # hosts of their own, so that the limit of a host leaves none out
            installation.add_webhook(f"https://host-{number}.example.org/hook", f"Number {number}")
        started = datetime.now(UTC)
        with installation.app.app_context():
            cases: dict[str, Callable[[datetime], int]] = {
                BARE: lambda now: _insert(installation, now),
                "Test all": lambda now: _press(installation, now),
            }
            times: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
            for number in range(rounds):
                for name, case in cases.items():
                    # Each time a minute later, for the database and for the queue server.
                    queue.connect(installation.queue_server.url).flushall()
                    times[name].append(_time(case, started + timedelta(minutes=2 * number)))
                    _end_all()
        return {name: (min(ms for ms, _ in found), min(cpu for _, cpu in found)) for name, found in times.items()}


def _insert(installation: Installation, now: datetime) -> int:
    """Insert a row without a destination's rules, as large as that of a test, for as many destinations."""
    ids = [each.destination_id for each in list_candidates(installation.workspace_id)]
    facts = {"workspace_id": installation.workspace_id, "event_type": TEST_EVENT, "created_at": now, "updated_at": now}
    # Long ago and ended, so that it starts no cooldown.
    facts |= {"status": DeliveryStatus.SENT, "sent_at": now, "attempt_count": 1, "created_at": now - timedelta(days=9)}
    payload = {"message_id": f"msg_{'0' * 24}", "reference": "ABCDEF", "workspace": "Harbor", "destination": "Number 1"}
    rows = [facts | {"alert_destination_id": number, "payload": payload} for number in ids]
    written = db.session.scalars(insert(AlertDelivery).returning(AlertDelivery.id), rows).all()
    db.session.commit()
    return len(written)


def _press(installation: Installation, now: datetime) -> int:
    workspace = db.session.get_one(Workspace, installation.workspace_id)
    visit = Visit(db.session.get_one(Account, installation.owner_id), workspace, Role.ADMIN)
    return press_each(visit, list_candidates(workspace.id), now).requested


def _end_all() -> None:
    """End every test, as a worker would."""
    waiting = update(AlertDelivery).where(AlertDelivery.status == DeliveryStatus.QUEUED)
    claimed = {"attempt_started_at": AlertDelivery.created_at, "attempt_count": 1}
    sent = {"status": DeliveryStatus.SENT, "sent_at": AlertDelivery.created_at, "attempt_started_at": None}
    for step in (claimed, sent):
        db.session.execute(waiting.values(step).execution_options(synchronize_session=False))
        db.session.commit()


def _time(case: Callable[[datetime], int], now: datetime) -> tuple[float, float]:
    """Return the ms and the CPU ms of one execution, which must request every destination."""
    started, cpu = time.perf_counter(), time.process_time()
    count = case(now)
    spent = (time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000
    assert count == COUNT, f"{count} of {COUNT} were written"
    return spent
