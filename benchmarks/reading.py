"""Measures what reads many destinations at once: the list, the evidence report, its CSV, and a worker's rounds."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import select

from benchmarks.dataset import fill_database
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, install
from webapp.dashboard.summaries import list_summaries
from webapp.drills.requesting import request_due_drills
from webapp.evidence import Period, RetentionPeriods, make_report, write_tests
from webapp.extensions import db
from webapp.models import AlertDestination, DrillInterval, DrillSchedule, Workspace
from webapp.notices.unconfirmed_problems import open_unconfirmed

SIZES = (10**4, 10**5)

BARE = "bare query of the list's destinations"


def measure(full: bool) -> Table:
    """Fill databases and execute each use case several times in this process. Its best time counts."""
    rows = []
    for kind in KINDS:
        fewest: dict[str, float] = {}
        for total in SIZES:
            found = _measure_one(kind, total, 20 if full else 5)
            fewest = fewest or found
            rows += [
                (f"{kind}, {total:,} deliveries: {name}", ms, ms / found[BARE], ms / fewest[name])
                for name, ms in found.items()
            ]
    columns = ("ms", "ratio to bare query", "cost ratio to fewest deliveries")
    return Table("reading", "Reading many destinations", columns, rows, bars=1)


def _measure_one(kind: Kind, total: int, rounds: int) -> dict[str, float]:
    """Return the ms of each use case by its name."""
    with install(kind) as installation:
        dataset = fill_database(installation, total)
        with installation.app.app_context():
            slug = Workspace.slug == dataset.thousand
            cases = _list_cases(db.session.scalars(select(Workspace.id).where(slug)).one(), datetime.now(UTC))
            turn_on_drills(datetime.now(UTC))
            return {name: min(_time(case) for _ in range(rounds)) for name, case in cases.items()}


def _list_cases(workspace_id: int, now: datetime) -> Mapping[str, Callable[[], object]]:
    ids = select(AlertDestination.id, AlertDestination.name).where(AlertDestination.workspace_id == workspace_id)
    period = Period((now - timedelta(days=90)).date(), now.date())
    return {
        BARE: lambda: db.session.execute(ids).all(),
        "list of 1,000 destinations": partial(list_summaries, [workspace_id], now),
        "evidence report, 90 days": partial(make_report, workspace_id, period, RetentionPeriods(None, None), now),
        "first 1,000 tests of its CSV": lambda: list(write_tests(workspace_id, period, now, 1_000)),
        "round of drills, none due": partial(request_due_drills, now),
        "look for drills without confirmation": partial(open_unconfirmed, now),
    }


def turn_on_drills(now: datetime) -> None:
    """Turn the drills of all workspaces on. The window is open all day, and no drill is due yet."""
    for workspace_id in db.session.scalars(select(Workspace.id)):
        db.session.add(
            DrillSchedule(
                workspace_id=workspace_id,
                interval=DrillInterval.QUARTERLY,
                weekdays="1234567",
                from_hour=0,
                to_hour=24,
                time_zone="UTC",
                started_at=now,
                updated_at=now,
            )
        )
    db.session.commit()


def _time(case: Callable[[], object]) -> float:
    """Return the ms of one execution."""
    started = time.perf_counter()
    case()
    db.session.rollback()
    return (time.perf_counter() - started) * 1000
