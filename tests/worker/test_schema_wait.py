"""A worker waits for the schema that it needs, and says why."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import text

from benchmarks.installation.processes import wait_until
from benchmarks.installation.schema import upgrade
from tests.factories import on_both_databases
from webapp.application import create_app
from webapp.database.outage_reasons import Reason
from webapp.extensions import db
from webapp.queue import WorkerFault, find_fault
from webapp.settings import read_settings
from webapp.worker.schema_wait import wait_for_schema

Start = Callable[[Flask], Future[None]]


@pytest.fixture
def stop() -> Event:
    return Event()


@pytest.fixture
def start(stop: Event) -> Iterator[Start]:
    """Wait for the schema in a thread."""
    with ThreadPoolExecutor() as threads:
        yield lambda app: threads.submit(wait_for_schema, app, stop)
        stop.set()


@pytest.fixture
def empty(environment: dict[str, str], tmp_path: Path) -> Flask:
    """An installation whose database is not migrated."""
    return create_app(read_settings(environment | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"}))


def _record(app: Flask, revision: str) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        db.session.commit()


def _fault(app: Flask) -> str | None:
    with app.app_context():
        return find_fault()


def _reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["reason"] for record in caplog.records if "reason" in record.__dict__]


@on_both_databases
def test_a_worker_starts_at_once_on_its_own_schema(app: Flask, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    start(app).result(timeout=60)

    assert (_fault(app), _reasons(caplog)) == (None, [])


def test_a_worker_on_an_empty_database_says_what_to_run_and_starts_after_it(
    empty: Flask, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = start(empty)
    wait_until(lambda: _fault(empty) == WorkerFault.SCHEMA_OLDER)
    is_waiting = not waiting.done()
    with empty.app_context():
        upgrade()
    waiting.result(timeout=60)

    assert is_waiting
    assert _reasons(caplog) == [Reason.NOT_MIGRATED.sentence]


@on_both_databases
@pytest.mark.parametrize(
    ("revision", "fault", "reason"),
    [
        ("0005", WorkerFault.SCHEMA_OLDER, "is not migrated"),
        ("9999", WorkerFault.SCHEMA_NEWER, "is newer than this program"),
        ("ae1027a6acf", WorkerFault.SCHEMA_UNKNOWN, "a revision that this program does not know"),
    ],
)
def test_a_worker_waits_on_a_schema_of_another_version(
    app: Flask,
    start: Start,
    stop: Event,
    caplog: pytest.LogCaptureFixture,
    revision: str,
    fault: WorkerFault,
    reason: str,
) -> None:
    head = _read_head(app)
    _record(app, revision)
    waiting = start(app)
    wait_until(lambda: _fault(app) == fault)
    stop.set()
    waiting.result(timeout=60)
    _record(app, head)

    (logged,) = _reasons(caplog)
    assert reason in logged


def _read_head(app: Flask) -> str:
    with app.app_context():
        return str(db.session.scalar(text("SELECT version_num FROM alembic_version")))


def test_a_worker_waits_for_a_database_that_cannot_be_reached(
    environment: dict[str, str], start: Start, stop: Event, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = create_app(read_settings(environment | {"DATABASE_URL": "postgresql://ann:canary@127.0.0.1:1/alerts"}))
    waiting = start(nowhere)
    wait_until(lambda: Reason.REFUSED.predicate in str(_fault(nowhere)))
    stop.set()
    waiting.result(timeout=60)

    (logged,) = _reasons(caplog)
    assert Reason.REFUSED.predicate in logged
    assert "canary" not in caplog.text


def test_a_worker_says_so_without_a_queue_server_too(
    environment: dict[str, str], tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"REDIS_URL": "redis://127.0.0.1:1", "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"}
    start(create_app(read_settings(environment | settings)))

    wait_until(lambda: len(_reasons(caplog)) == 1)


def test_the_check_of_the_worker_says_what_to_run(empty: Flask, start: Start) -> None:
    start(empty)
    wait_until(lambda: _fault(empty))

    result = empty.test_cli_runner().invoke(args=["check-worker"])

    assert (result.exit_code, result.output) == (
        1,
        "Error: No recent heartbeat: a worker runs, but waits until the database is migrated:"
        " run flask --app wsgi db upgrade.\n",
    )
