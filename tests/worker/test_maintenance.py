"""The maintenance of a worker's parent process."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update

from tests.factories import SeededIds, on_both_databases
from webapp.app_state import app_state
from webapp.extensions import db
from webapp.models import AlertDestination, SearchKey
from webapp.worker import maintenance
from webapp.worker.maintenance import Maintenance


def test_it_adds_the_search_keys_that_an_upgrade_leaves_out(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        db.session.execute(delete(SearchKey))
        db.session.execute(update(AlertDestination).values(search_mark=None))
        db.session.commit()

    worker = Maintenance(app)
    assert [worker.run() for _ in range(2)] == [None, None]  # a slow pass does one of the two destinations

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SearchKey)) == 2


@on_both_databases
def test_a_part_that_always_fails_keeps_no_other_one_from_running(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int | None] = []

    def count_destinations(_now: datetime) -> None:
        ran.append(db.session.scalar(select(func.count()).select_from(AlertDestination)))

    monkeypatch.setattr(maintenance, "report_refused_sign_ins", _read_what_is_not_there)
    app_state(app).maintenance.append(count_destinations)

    assert [Maintenance(app).run() for _ in range(2)] == [None, None]

    assert ran == [2, 2]
    failures = [record.__dict__ for record in caplog.records if record.message == "maintenance task failed"]
    assert [(failure["task"], failure["error"]) for failure in failures] == [
        (f"{__name__}._read_what_is_not_there", "OperationalError" if _is_on_sqlite(app) else "ProgrammingError")
    ] * 2


def test_a_run_that_fails_slowly_leaves_the_rest_to_the_next_one(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def fail(_now: datetime) -> None:
        ran.append("failed")
        raise TimeoutError

    monkeypatch.setattr(maintenance, "FAILURE_TIME", 0.0)
    monkeypatch.setattr(maintenance, "list_tasks", lambda _settings: (fail, lambda _now: ran.append("other")))
    runs = Maintenance(app)

    assert [runs.run() for _ in range(3)] == [None, None, None]

    assert ran == ["failed", "other", "failed", "other", "failed"]


def test_while_a_part_has_not_finished_the_others_run_once_a_second(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    elapsed = 1000.0

    def leave_something_thrice(_now: datetime) -> bool:
        ran.append("unfinished")
        return ran.count("unfinished") <= 3

    monkeypatch.setattr(maintenance, "monotonic", lambda: elapsed)
    monkeypatch.setattr(
        maintenance, "list_tasks", lambda _settings: (leave_something_thrice, lambda _now: ran.append("other"))
    )
    runs = Maintenance(app)
    behind = []

    for seconds in (0, 0.5, 0.5, 0.1, 0.1):
        elapsed += seconds
        runs.run()
        behind.append(runs.is_behind)

    assert ran == ["unfinished", "other", "unfinished", "unfinished", "other", "unfinished", "unfinished", "other"]
    assert behind == [True, True, True, False, False]


def _read_what_is_not_there(_now: datetime) -> None:
    db.session.execute(text("SELECT 1 FROM nowhere"))


def _is_on_sqlite(app: Flask) -> bool:
    with app.app_context():
        return db.engine.dialect.name == "sqlite"
