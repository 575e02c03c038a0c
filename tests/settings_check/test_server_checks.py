"""The installation's own servers: the database with its schema and clock, the queue, and the workers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url, text

from benchmarks.installation.servers import PostgresServer, execute
from tests.factories import on_both_databases
from webapp import queue
from webapp.application import create_app
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.settings import read_settings
from webapp.settings_check.finding import Check, Finding, Severity
from webapp.settings_check.server_checks import check_database_server, check_queue_server, check_workers, compare_clocks

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def _run(check: Check, environment: dict[str, str], **settings: str) -> Sequence[Finding]:
    with create_app(read_settings(environment | settings)).app_context():
        return check()


@on_both_databases
def test_a_database_that_works_is_ok_in_each_respect(app: Flask) -> None:
    with app.app_context():
        found = check_database_server()

    assert [(finding.part, finding.severity) for finding in found] == [
        ("database", Severity.OK),
        ("schema", Severity.OK),
        ("clock", Severity.OK),
    ]


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/canary.sqlite", "postgresql://canary:canary-password@127.0.0.1:1/canary"]
)
def test_a_database_that_cannot_be_reached_is_one_problem_with_its_setting(
    environment: dict[str, str], url: str
) -> None:
    found = _run(check_database_server, environment, DATABASE_URL=url)

    assert [finding.severity for finding in found] == [Severity.PROBLEM, Severity.NOTE, Severity.NOTE]
    assert "DATABASE_URL" in found[0].text
    assert "canary" not in str(found)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_whose_encoding_cannot_store_every_name_is_a_problem(
    environment: dict[str, str], postgres: PostgresServer, encoding: str
) -> None:
    name = f"in_{encoding.lower()}"
    execute(postgres.url, f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        url = make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
        found = _run(check_database_server, environment, DATABASE_URL=url)
    finally:
        execute(postgres.url, f"DROP DATABASE {name} WITH (FORCE)")

    assert (found[0].part, found[0].severity) == ("database", Severity.PROBLEM)
    assert found[0].text.startswith(f"The database has the encoding {encoding}.")
    assert "DATABASE_URL" in found[0].text


def test_a_database_that_is_not_migrated_is_a_problem_with_the_command(
    environment: dict[str, str], tmp_path: Path
) -> None:
    found = _run(check_database_server, environment, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite")

    assert [finding.severity for finding in found] == [Severity.OK, Severity.PROBLEM, Severity.OK]
    assert found[1].text.startswith("The database is not migrated: run flask --app wsgi db upgrade")


@on_both_databases
def test_an_older_schema_is_a_problem(app: Flask) -> None:
    with app.app_context():
        newest = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        db.session.execute(text("UPDATE alembic_version SET version_num = '0005'"))
        db.session.commit()
        schema = check_database_server()[1]
        db.session.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
        db.session.commit()

    assert (schema.part, schema.severity) == ("schema", Severity.PROBLEM)


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [
        (0, Severity.OK),
        (4.9, Severity.OK),
        (-4.9, Severity.OK),
        (5, Severity.NOTE),
        (-59, Severity.NOTE),
        (60, Severity.PROBLEM),
    ],
)
def test_clocks_may_differ_by_some_seconds(seconds: float, severity: Severity) -> None:
    assert compare_clocks(NOW + timedelta(seconds=seconds), NOW).severity is severity


@pytest.mark.parametrize(
    ("seconds", "words"), [(90, "90 s ahead of the database's"), (-90, "90 s behind the database")]
)
def test_the_difference_of_the_clocks_is_named(seconds: int, words: str) -> None:
    assert words in compare_clocks(NOW + timedelta(seconds=seconds), NOW).text


def test_a_queue_that_works_is_ok(app: Flask) -> None:
    with app.app_context():
        assert [finding.severity for finding in check_queue_server()] == [Severity.OK]


def test_a_queue_that_cannot_be_reached_is_a_problem_with_its_setting(environment: dict[str, str]) -> None:
    (finding,) = _run(check_queue_server, environment, REDIS_URL="redis://canary:canary-password@127.0.0.1:1/3")

    assert finding.severity is Severity.PROBLEM
    assert "REDIS_URL" in finding.text
    assert "canary" not in finding.text


def test_no_worker_is_a_note_because_it_may_be_started_later(app: Flask) -> None:
    with app.app_context():
        (finding,) = check_workers()

    assert (finding.severity, finding.text) == (
        Severity.NOTE,
        f"No worker has sent a heartbeat for 10 s: start one with {COMMAND} worker. "
        "If one runs, give it the same SECRET_KEY, REDIS_URL and REDIS_PREFIX as this process.",
    )


def test_a_worker_that_does_its_work_is_ok(app: Flask) -> None:
    with app.app_context():
        queue.record_heartbeat("host:1")

        assert [finding.severity for finding in check_workers()] == [Severity.OK]


def test_a_worker_of_another_database_is_a_problem_also_beside_one_of_this(app: Flask) -> None:
    with app.app_context():
        queue.record_heartbeat("own:1")
        queue.record_heartbeat("other:1", "4711 2026-01-01T00:00:00+00:00")
        (finding,) = check_workers()

    assert (finding.severity, finding.text) == (Severity.PROBLEM, f"Wrong database: {queue.OTHER_DATABASE}.")


def test_a_worker_that_cannot_work_is_a_problem(app: Flask) -> None:
    with app.app_context():
        queue.record_fault(queue.WorkerFault.DATABASE)
        (finding,) = check_workers()

    assert (finding.severity, finding.text) == (
        Severity.PROBLEM,
        "No recent heartbeat: a worker runs, but cannot read and write the database: read its log.",
    )


def test_a_worker_cannot_be_seen_without_the_queue(environment: dict[str, str]) -> None:
    (finding,) = _run(check_workers, environment, REDIS_URL="redis://127.0.0.1:1")

    assert finding.severity is Severity.NOTE
