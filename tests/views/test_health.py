"""Health: the process alone, and readiness for a press."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, make_url, select, text

from benchmarks.installation.servers import QueueServer, execute, start_queue_server
from tests.database_role import database_role
from tests.factories import NOW, SeededIds, on_both_databases
from tests.queue_keys import key_of
from tests.schema_history import HEAD
from webapp import queue
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.database.outages import Reason
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.health.database_mark import read_mark
from webapp.models import AuditEvent, Workspace
from webapp.queue import QueueOutage
from webapp.settings import read_settings
from webapp.workspaces.workspace_changes import add_workspace

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)

NOWHERE = "redis://:canary-password@127.0.0.1:1"
NOT_SEEN = (
    f"No worker has sent a heartbeat for 10 s: start one with {COMMAND} worker. "
    "If one runs, give it the same SECRET_KEY, REDIS_URL and REDIS_PREFIX as this process."
)


def _client(environment: dict[str, str], **settings: str) -> FlaskClient:
    return create_app(read_settings(environment | settings)).test_client()


@pytest.fixture
def alive(app: Flask) -> None:
    """A worker has just sent a heartbeat."""
    with app.app_context():
        queue.record_heartbeat("host:1")


@pytest.fixture
def silent_address() -> Iterator[str]:
    """A host and port that accept connections and never send anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_process_is_alive_without_the_database_and_the_queue(environment: dict[str, str]) -> None:
    response = _client(environment, REDIS_URL=NOWHERE, DATABASE_URL="sqlite:////nowhere/at/all.sqlite").get("/healthz")

    assert (response.status_code, response.json) == (200, {"status": "ok"})


@on_both_databases
@pytest.mark.usefixtures("alive")
def test_an_installation_is_ready_when_a_press_has_everything_it_needs(app: Flask) -> None:
    response = app.test_client().get("/readyz")

    assert (response.status_code, response.json) == (
        200,
        {"status": "ok", "database": "ok", "queue": "ok", "worker": "ok"},
    )


def test_without_a_worker_the_report_asks_to_start_one(app: Flask) -> None:
    response = app.test_client().get("/readyz")

    assert response.status_code == 503
    assert response.json == {"status": "unavailable", "database": "ok", "queue": "ok", "worker": NOT_SEEN}


@pytest.mark.usefixtures("alive")
def test_a_worker_without_a_recent_heartbeat_is_reported_missing(app: Flask, queue_server: QueueServer) -> None:
    queue.connect(queue_server.url).zincrby(key_of("workers"), -11, "host:1")

    response = app.test_client().get("/readyz")

    assert (response.status_code, response.json and response.json["worker"]) == (503, NOT_SEEN)


@pytest.mark.parametrize(
    ("others_mark", "worker"),
    [
        ("{id} {other_time}", queue.OTHER_DATABASE),
        ("{later_id} {time}", queue.OTHER_DATABASE),
        ("{id} {time}", "ok"),
        ("{deleted_id} {time}", "ok"),
        ("", "ok"),
        *((garbled, "ok") for garbled in ("x {time}", "{id}", "\xff {time}", "-1 {time}", "9" * 30 + " {time}")),
    ],
)
def test_a_worker_of_another_database_is_not_the_one_that_is_missing(
    app: Flask, seeded: SeededIds, others_mark: str, worker: str
) -> None:
    event_id, time = 7, NOW.isoformat()
    facts = {"id": event_id, "deleted_id": event_id - 1, "later_id": event_id + 1, "time": time}
    with app.app_context():
        _add_event(event_id)
        assert read_mark() == f"{event_id} {time}"
        other_time = (NOW - timedelta(days=1)).isoformat()
        queue.record_heartbeat("other:1", others_mark.format(other_time=other_time, **facts))
    assert _read_worker(app) == worker

    with app.app_context():
        queue.record_heartbeat("own:1", read_mark())
    assert _read_worker(create_app(app_state(app).settings)) == "ok"


def _add_event(event_id: int) -> None:
    values = {"account_name": "", "action": "sign_in", "subject": "", "result": "done", "changed": []}
    db.session.add(AuditEvent(id=event_id, happened_at=NOW, **values))
    db.session.commit()


def _read_worker(app: Flask) -> str:
    report: dict[str, str] = app.test_client().get("/readyz").get_json()
    return report["worker"]


def test_a_missing_queue_is_reported(environment: dict[str, str]) -> None:
    response = _client(environment, REDIS_URL=NOWHERE).get("/readyz")

    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "database": "ok",
        "queue": QueueOutage.REFUSED,
        "worker": "unknown, because the queue server cannot be used",
    }


def test_a_queue_that_accepts_the_connection_and_stays_silent_is_reported(
    environment: dict[str, str], silent_address: str
) -> None:
    response = _client(environment, REDIS_URL=f"redis://{silent_address}").get("/readyz")

    assert (response.status_code, response.json and response.json["queue"]) == (503, QueueOutage.TIMEOUT)


@pytest.mark.usefixtures("alive")
def test_an_unmigrated_database_is_reported_with_its_reason(environment: dict[str, str], tmp_path: Path) -> None:
    response = _client(environment, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite'}").get("/readyz")

    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "database": "is not migrated: run flask --app wsgi db upgrade",
        "queue": "ok",
        "worker": "ok",
    }


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////nowhere/at/all.sqlite", Reason.CANNOT_OPEN),
        ("postgresql+psycopg://ann:canary-password@127.0.0.1:1/alerts", Reason.REFUSED),
        ("postgresql://ann:canary-password@nowhere.invalid/alerts", Reason.UNKNOWN_HOST),
    ],
)
def test_an_unreachable_database_is_reported_with_the_cure_and_without_its_address(
    environment: dict[str, str], url: str, reason: Reason
) -> None:
    response = _client(environment, DATABASE_URL=url).get("/readyz")

    assert response.status_code == 503
    assert (response.json or {})["database"] == reason.predicate
    assert "DATABASE_URL" in reason.predicate
    assert "canary" not in response.text


def test_no_reason_holds_a_password_or_an_address(environment: dict[str, str], tmp_path: Path) -> None:
    response = _client(environment, REDIS_URL=NOWHERE, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite").get("/readyz")

    assert "canary" not in response.text
    assert "127.0.0.1" not in response.text
    assert str(tmp_path) not in response.text


def _report(database: str = "ok", queue: str = "ok", worker: str = "ok") -> dict[str, str]:
    return {"status": "unavailable", "database": database, "queue": queue, "worker": worker}


@pytest.mark.usefixtures("alive")
def test_a_read_only_sqlite_file_is_reported(environment: dict[str, str], database_url: str) -> None:
    url = f"sqlite:///file:{make_url(database_url).database}?mode=ro&uri=true"

    response = _client(environment, DATABASE_URL=url).get("/readyz")

    assert (response.status_code, response.json) == (503, _report(Reason.READ_ONLY_FILE.predicate))


@on_postgres
@pytest.mark.usefixtures("alive")
def test_a_read_only_postgresql_is_reported(app: Flask, database_url: str) -> None:
    execute(database_url, f'ALTER DATABASE "{make_url(database_url).database}" SET default_transaction_read_only = on')
    with app.app_context():
        db.engine.dispose()

    response = app.test_client().get("/readyz")

    execute(
        database_url,
        "SET default_transaction_read_only = off",
        f'ALTER DATABASE "{make_url(database_url).database}" RESET default_transaction_read_only',
    )
    assert (response.status_code, response.json) == (503, _report(Reason.READ_ONLY.predicate))


@on_both_databases
@pytest.mark.usefixtures("alive")
@pytest.mark.parametrize(
    ("revision", "reason"),
    [
        ("0005", "is not migrated: run flask --app wsgi db upgrade (it has revision 0005, this program needs {head})"),
        (
            "9999",
            "is newer than this program: install the version of Alertcheck that migrated it"
            " (it has revision 9999, this program knows those up to {head})",
        ),
    ],
)
def test_a_schema_of_another_version_is_reported(app: Flask, revision: str, reason: str) -> None:
    _record(app, revision)

    response = app.test_client().get("/readyz")

    _record(app, HEAD)
    assert (response.status_code, response.json) == (503, _report(reason.format(head=HEAD)))


def _record(app: Flask, revision: str) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        db.session.commit()


@on_postgres
@pytest.mark.usefixtures("alive")
@pytest.mark.parametrize("table", ["alembic_version", "workspaces"])
def test_a_table_that_the_user_may_not_use_is_reported(
    environment: dict[str, str], database_url: str, table: str
) -> None:
    with database_role(database_url) as role:
        execute(database_url, f"REVOKE ALL ON {table} FROM {role.name}")
        response = _client(environment, DATABASE_URL=role.url).get("/readyz")

    assert (response.json or {})["database"] == Reason.NO_PRIVILEGE.predicate


@pytest.mark.usefixtures("alive")
def test_a_locked_sqlite_file_is_reported(app: Flask, database_url: str) -> None:
    with closing(sqlite3.connect(str(make_url(database_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        response = app.test_client().get("/readyz")

    assert response.json == _report("is busy: it is locked, or has no free connection")


@on_both_databases
@pytest.mark.usefixtures("alive")
def test_a_check_leaves_no_row_and_changes_no_next_id(app: Flask) -> None:
    app.test_client().get("/readyz")

    with app.app_context():
        workspace = add_workspace("first", "First", datetime.now(UTC))
        assert (workspace.id, db.session.scalar(select(func.count()).select_from(Workspace))) == (1, 1)
        db.session.rollback()


@pytest.fixture
def full_queue(queue_server: QueueServer) -> Iterator[None]:
    client = queue.connect(queue_server.url)
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", 0)


@pytest.mark.usefixtures("alive", "full_queue")
def test_a_full_queue_server_is_reported_and_the_worker_is_not_blamed(app: Flask) -> None:
    response = app.test_client().get("/readyz")

    assert (response.status_code, response.json) == (503, _report(queue=QueueOutage.FULL))


@pytest.mark.usefixtures("full_queue")
def test_a_worker_that_cannot_record_its_heartbeat_is_not_reported_missing(app: Flask) -> None:
    response = app.test_client().get("/readyz")

    assert response.json == _report(
        queue=QueueOutage.FULL, worker="unknown, because the queue server accepts no heartbeat"
    )


def test_a_queue_server_that_is_a_replica_is_reported(
    environment: dict[str, str], silent_address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = start_queue_server(tmp_path_factory.mktemp("r"))
    try:
        queue.connect(server.url).replicaof(*silent_address.split(":"))
        response = _client(environment, REDIS_URL=server.url).get("/readyz")
    finally:
        server.stop()

    assert (response.json or {})["queue"] == QueueOutage.READ_ONLY


def test_a_worker_that_needs_the_database_is_not_reported_missing_without_it(environment: dict[str, str]) -> None:
    response = _client(environment, DATABASE_URL="sqlite:////nowhere/at/all.sqlite").get("/readyz")

    assert (response.json or {})["worker"] == "unknown, because its heartbeat needs the database"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_starts_no_session(app: Flask, path: str) -> None:
    assert "Set-Cookie" not in app.test_client().get(path).headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_never_throttled(app: Flask, path: str) -> None:
    client = app.test_client()

    assert 429 not in {client.get(path).status_code for _ in range(50)}
