"""A backup is restored: its pending deliveries end by themselves, none is sent, and none is called unsent in error."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import make_url, select

from benchmarks.installation.processes import ENDS_WITHIN, TIME_LIMIT, wait_until
from benchmarks.installation.servers import PostgresServer, create_database, drop_database, find_binaries
from tests.factories import (
    SECRET_PATH,
    SeededIds,
    add_delivery,
    begin_claim_record,
    get_account,
    get_destination,
    seconds,
)
from tests.forked_processes import run_processes
from webapp import queue
from webapp.application import create_app
from webapp.deliveries import request_test
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, database_clock
from webapp.settings import read_settings

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database", ["postgres"], indirect=True)]

LONG_AGO = datetime.now(UTC) - seconds(600)
# A delivery that waits for a worker, one that is being sent, and one that waits for another attempt.
PENDING = (
    {"created_at": LONG_AGO},
    {"created_at": LONG_AGO, "attempt_started_at": LONG_AGO, "attempt_count": 1},
    {
        "created_at": LONG_AGO,
        "status": DeliveryStatus.DEFERRED,
        "send_after": LONG_AGO,
        "attempt_count": 1,
        "last_error_code": "remote_unavailable",
    },
)


def run(program: str, *words: str) -> None:
    subprocess.run([str(find_binaries() / program), *words], check=True, timeout=TIME_LIMIT)


def libpq_url(url: str) -> str:
    """Return a database URL in the form that PostgreSQL's own programs take."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def pending(app: Flask, seeded: SeededIds) -> None:
    """The pending rows, and their jobs in a queue that survived the database."""
    with app.app_context():
        for facts in PENDING:
            queue.enqueue_deliveries(add_delivery(get_destination(seeded), **facts).id)


@pytest.fixture
def restored(
    pending: None, environment: dict[str, str], postgres: PostgresServer, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The settings of an installation whose database is restored from a backup."""
    with restored_copy(environment, postgres, tmp_path) as restored:
        yield restored


@contextmanager
def restored_copy(environment: dict[str, str], postgres: PostgresServer, directory: Path) -> Iterator[dict[str, str]]:
    """Make a backup of an installation's database, and provide the settings of one with a restored copy."""
    name, backup = f"test_{os.urandom(6).hex()}", str(directory / "alertcheck.dump")
    url = create_database(postgres, name)
    run("pg_dump", "--format=custom", f"--file={backup}", f"--dbname={libpq_url(environment['DATABASE_URL'])}")
    run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={libpq_url(url)}", backup)
    try:
        yield environment | {"DATABASE_URL": url}
    finally:
        drop_database(postgres, name)


def _read_codes(app: Flask) -> list[str | None]:
    with app.app_context():
        return list(db.session.scalars(select(AlertDelivery.last_error_code).order_by(AlertDelivery.id)))


def _is_pending(app: Flask) -> bool:
    waiting = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
    with app.app_context():
        return db.session.scalars(select(AlertDelivery.id).where(AlertDelivery.status.in_(waiting))).first() is not None


@pytest.mark.parametrize(
    ("has_record", "codes"),
    [
        (True, ["not_started", "worker_lost", "remote_unavailable"]),
        (False, ["worker_lost", "worker_lost", "worker_lost"]),
    ],
    ids=["with-record", "without-record"],
)
def test_pending_deliveries_of_a_backup_end_by_themselves_and_are_not_sent(
    restored: dict[str, str], httpserver: HTTPServer, tmp_path: Path, has_record: bool, codes: list[str]
) -> None:
    if has_record:
        with create_app(read_settings(restored)).app_context():
            begin_claim_record()
    app = create_app(read_settings(restored))
    with run_processes(restored, tmp_path / "logs") as stack:
        stack.start_worker()
        wait_until(lambda: not _is_pending(app), ENDS_WITHIN)

    assert _read_codes(app) == codes
    assert httpserver.log == []
    with app.app_context():
        db.engine.dispose()


def test_a_message_that_was_sent_after_the_backup_is_not_sent_again(
    app: Flask,
    seeded: SeededIds,
    environment: dict[str, str],
    postgres: PostgresServer,
    httpserver: HTTPServer,
    tmp_path: Path,
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    with app.app_context():
        delivery_id = request_test(get_destination(seeded), get_account(seeded), database_clock.now())
        db.engine.dispose()
    with restored_copy(environment, postgres, tmp_path) as restored:
        with run_processes(environment, tmp_path / "before") as stack, app.app_context():
            queue.enqueue_deliveries(delivery_id)
            stack.start_worker()
            wait_until(lambda: len(httpserver.log) == 1)
            wait_until(lambda: not _is_pending(app))
        app_after = create_app(read_settings(restored))
        with run_processes(restored, tmp_path / "after") as stack:
            stack.start_worker()
            wait_until(lambda: not _is_pending(app_after), ENDS_WITHIN)

        assert _read_codes(app_after) == ["worker_lost"]
        assert len(httpserver.log) == 1
        with app_after.app_context():
            db.engine.dispose()
