"""The database is killed, locked or full during a test: the page stays true, and no message is sent twice."""

import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import create_engine, make_url, text
from werkzeug import Request, Response

from benchmarks.installation.processes import ENDS_WITHIN, TIME_LIMIT, Session, Stack, wait_until
from benchmarks.installation.servers import PostgresServer, ServiceMissing
from tests.factories import SECRET_PATH, SIGNING_SECRET, SeededIds, get_account, get_workspace
from tests.forked_processes import run_processes
from tests.small_disk import SmallDisk, small_disk
from webapp.database.outage_reasons import Reason
from webapp.destinations.editing import add_destination
from webapp.health.report import MAX_AGE
from webapp.settings import AppSettings

pytestmark = pytest.mark.slow

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)
# Seconds that SQLite waits for another writer.
BUSY_TIMEOUT = 5


@dataclass
class HeldReceiver:
    """A receiver that holds its response back until it is released."""

    server: HTTPServer
    arrived: Event = field(default_factory=Event)
    release: Event = field(default_factory=Event)

    def respond(self, _request: Request) -> Response:
        self.arrived.set()
        self.release.wait(10)
        return Response()


@pytest.fixture
def receiver(httpserver: HTTPServer) -> HeldReceiver:
    receiver = HeldReceiver(httpserver)
    httpserver.expect_request(SECRET_PATH).respond_with_handler(receiver.respond)
    return receiver


@pytest.fixture
def other_destination(app: Flask, seeded: SeededIds, app_settings: AppSettings, receiver: HeldReceiver) -> int:
    """A second destination of Harbor Logistics, because the first has a cooldown after a press."""
    settings = {"address": receiver.server.url_for(SECRET_PATH), "signing_secret": SIGNING_SECRET}
    with app.app_context():
        owner_and_actor = get_workspace(seeded), get_account(seeded)
        return add_destination(
            *owner_and_actor, "webhook", "Other", settings, app_settings.cipher, datetime.now(UTC)
        ).id


@pytest.fixture
def visitor(stack: Stack, owner: tuple[str, str]) -> Session:
    """A signed-in admin of a running installation."""
    visitor = stack.start_web().sign_in(*owner)
    stack.start_worker()
    return visitor


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    try:
        with small_disk(tmp_path / "disk", tmp_path / "disk.log") as disk:
            yield disk
    except ServiceMissing as reason:
        pytest.skip(str(reason))


@pytest.fixture
def visitor_with_disk(
    disk: SmallDisk, environment: dict[str, str], owner: tuple[str, str], tmp_path: Path
) -> Iterator[Session]:
    """A signed-in admin of an installation whose database is on a disk that can be filled."""
    shutil.copy(str(make_url(environment["DATABASE_URL"]).database), disk.outside)
    environment = environment | {"DATABASE_URL": f"sqlite:///{disk.directory / 'alertcheck.sqlite'}"}
    with run_processes(environment, tmp_path / "logs", prefix=disk.prefix) as stack:
        visitor = stack.start_web().sign_in(*owner)
        stack.start_worker()
        yield visitor


@contextmanager
def _down(postgres: PostgresServer) -> Iterator[None]:
    try:
        postgres.kill()
    except ServiceMissing as reason:
        pytest.skip(str(reason))
    try:
        yield
    finally:
        postgres.restart()


@contextmanager
def _locked(database_url: str) -> Iterator[None]:
    """Lock a SQLite file by another writer."""
    file = str(make_url(database_url).database)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def _press(visitor: Session, destination: int = 1) -> int:
    return visitor.post(f"/w/harbor/destinations/{destination}/test").status_code


def _badge(visitor: Session, destination: int = 1) -> str:
    """Read a destination's badge and its warning, if any; empty if the page fails."""
    page = visitor.get(f"/w/harbor/destinations/{destination}/status").text
    return " ".join(re.findall(r'(?<=data-last-test=")\w+|may or may not have arrived', page))


@on_postgres
@pytest.mark.parametrize(
    ("seconds", "badge"),
    [(4, "sent"), (25, "failed may or may not have arrived")],
    ids=["briefly", "too-long"],
)
def test_a_message_accepted_while_postgresql_is_down_is_recorded_or_marked_lost(
    visitor: Session, receiver: HeldReceiver, postgres: PostgresServer, seconds: int, badge: str
) -> None:
    assert _press(visitor) == 200
    assert receiver.arrived.wait(TIME_LIMIT)

    with _down(postgres):
        receiver.release.set()
        time.sleep(seconds)

    wait_until(lambda: _badge(visitor) == badge, ENDS_WITHIN)
    assert len(receiver.server.log) == 1


@on_postgres
def test_the_same_processes_send_the_next_press_after_postgresql_was_down(
    visitor: Session, receiver: HeldReceiver, postgres: PostgresServer, other_destination: int
) -> None:
    receiver.release.set()
    _press(visitor)
    wait_until(lambda: _badge(visitor) == "sent")
    with _down(postgres):
        time.sleep(3)

    assert _press(visitor, other_destination) == 200

    wait_until(lambda: _badge(visitor, other_destination) == "sent")


def test_a_message_accepted_while_sqlite_is_locked_is_recorded_as_sent(
    visitor: Session, receiver: HeldReceiver, database_url: str
) -> None:
    assert _press(visitor) == 200
    assert receiver.arrived.wait(TIME_LIMIT)

    with _locked(database_url):
        receiver.release.set()
        time.sleep(BUSY_TIMEOUT + 2)

    wait_until(lambda: _badge(visitor) == "sent")
    assert len(receiver.server.log) == 1


def test_an_outcome_that_could_not_be_recorded_for_25_seconds_ends_truthfully(
    visitor: Session, receiver: HeldReceiver, database_url: str
) -> None:
    assert _press(visitor) == 200
    assert receiver.arrived.wait(TIME_LIMIT)

    with _locked(database_url):
        receiver.release.set()
        time.sleep(25)

    wait_until(lambda: _badge(visitor) in ("sent", "failed may or may not have arrived"), ENDS_WITHIN)
    assert len(receiver.server.log) == 1


@on_postgres
def test_an_outcome_that_waits_25_seconds_for_a_lock_is_recorded(
    visitor: Session, receiver: HeldReceiver, database_url: str
) -> None:
    assert _press(visitor) == 200
    assert receiver.arrived.wait(TIME_LIMIT)

    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as other:
        other.execute(text("LOCK TABLE alert_deliveries IN ACCESS EXCLUSIVE MODE"))
        receiver.release.set()
        time.sleep(25)
    engine.dispose()

    wait_until(lambda: _badge(visitor) == "sent", ENDS_WITHIN)
    assert len(receiver.server.log) == 1


def test_a_press_while_sqlite_is_locked_says_so_within_3_seconds(visitor: Session, database_url: str) -> None:
    with _locked(database_url):
        started = time.monotonic()
        response = visitor.post("/w/harbor/destinations/1/test")
        seconds = time.monotonic() - started

    assert (response.status_code, "The database is busy" in response.text) == (503, True)
    assert seconds < 3


def test_a_press_while_sqlite_is_locked_is_not_counted(
    visitor: Session, receiver: HeldReceiver, database_url: str
) -> None:
    receiver.release.set()
    with _locked(database_url):
        assert _press(visitor) == 503

    assert _badge(visitor) == "never"
    assert _press(visitor) == 200


def test_while_the_disk_is_full_every_place_says_so_and_a_press_is_not_counted(
    visitor_with_disk: Session, receiver: HeldReceiver, disk: SmallDisk
) -> None:
    receiver.release.set()
    wait_until(lambda: visitor_with_disk.get("/readyz").status_code == 200)
    disk.fill()
    time.sleep(MAX_AGE)

    readiness = visitor_with_disk.get("/readyz")
    response = visitor_with_disk.post("/w/harbor/destinations/1/test")

    report = {"status": "unavailable", "database": Reason.FULL.predicate, "queue": "ok", "worker": "ok"}
    assert (readiness.status_code, readiness.json()) == (503, report)
    assert (response.status_code, "The database has no space left" in response.text) == (503, True)

    disk.free()

    assert _badge(visitor_with_disk) == "never"
    assert _press(visitor_with_disk) == 200
    wait_until(lambda: _badge(visitor_with_disk) == "sent")


def test_a_message_accepted_while_the_disk_is_full_is_recorded_once_there_is_space(
    visitor_with_disk: Session, receiver: HeldReceiver, disk: SmallDisk
) -> None:
    assert _press(visitor_with_disk) == 200
    assert receiver.arrived.wait(TIME_LIMIT)

    disk.fill()
    receiver.release.set()
    time.sleep(3)
    assert _badge(visitor_with_disk) == "pending"
    disk.free()

    wait_until(lambda: _badge(visitor_with_disk) == "sent")
    assert len(receiver.server.log) == 1
