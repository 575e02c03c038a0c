"""The database is frozen or locked: a page explains it within 3 s, and what needs no database responds at once."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import create_engine, func, make_url, select, text

from benchmarks.installation.processes import Session, Stack, wait_until
from benchmarks.installation.servers import PostgresServer
from tests.factories import SECRET_PATH, SeededIds
from tests.frozen import frozen_postgres
from webapp.database.outage_reasons import Reason
from webapp.extensions import db
from webapp.models import AlertDelivery

pytestmark = pytest.mark.slow

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)

LIST = "/w/harbor/destinations"
# gunicorn's threads, as in production.
THREADS = 8
# Seconds. A page explains itself within 3; the other 3 are for the other tests that this machine runs.
PAGE_LIMIT, AT_ONCE = 6.0, 1.0
BUSY, SILENT = "The database is busy", "The database is not available"


@pytest.fixture
def visitor(stack: Stack, owner: tuple[str, str], httpserver: HTTPServer) -> Session:
    """A signed-in admin, whose connections to the database are open."""
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    visitor = stack.start_web(threads=THREADS).sign_in(*owner)
    assert visitor.get(LIST).status_code == 200
    return visitor


@contextmanager
def _locked_table(database_url: str, table: str) -> Iterator[None]:
    """Lock a table of PostgreSQL, as a migration does."""
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as other:
        other.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield
        other.rollback()
    engine.dispose()


@contextmanager
def _locked_file(database_url: str) -> Iterator[None]:
    """Lock a SQLite file, which no other process has open, against readers and writers."""
    with closing(sqlite3.connect(str(make_url(database_url).database), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def _seconds(path: str, visitor: Session) -> tuple[float, requests.Response]:
    started = time.monotonic()
    response = requests.get(visitor.origin + path, cookies=visitor.http.cookies, timeout=20, allow_redirects=False)
    return time.monotonic() - started, response


@dataclass(frozen=True)
class Load:
    """Visitors who keep opening pages."""

    pool: ThreadPoolExecutor
    pages: list[Any]

    def results(self) -> list[tuple[float, requests.Response]]:
        return [page.result() for page in self.pages]


@contextmanager
def _many_pages(visitor: Session, count: int = 40) -> Iterator[Load]:
    with ThreadPoolExecutor(count) as pool:
        yield Load(pool, [pool.submit(_seconds, LIST, visitor) for _ in range(count)])


@on_postgres
def test_every_page_of_a_frozen_database_explains_it_within_seconds(visitor: Session, postgres: PostgresServer) -> None:
    with frozen_postgres(postgres), _many_pages(visitor) as load:
        results = load.results()

    assert {response.status_code for _, response in results} == {503}
    assert all(SILENT in response.text or BUSY in response.text for _, response in results)
    assert max(seconds for seconds, _ in results) < PAGE_LIMIT


@on_postgres
@pytest.mark.parametrize("path", ["/healthz", "/sign-in", "/static/app.css"])
def test_what_needs_no_database_responds_at_once_while_every_page_waits_for_it(
    visitor: Session, postgres: PostgresServer, path: str
) -> None:
    with frozen_postgres(postgres), _many_pages(visitor):
        time.sleep(0.3)
        results = [_seconds(path, visitor) for _ in range(10)]

    assert {response.status_code for _, response in results} == {200}
    assert max(seconds for seconds, _ in results) < AT_ONCE


@on_postgres
def test_pages_work_again_as_soon_as_a_frozen_database_responds(visitor: Session, postgres: PostgresServer) -> None:
    with frozen_postgres(postgres), _many_pages(visitor):
        pass

    assert visitor.get(LIST).status_code == 200


@on_postgres
def test_readiness_names_only_the_database_while_it_is_frozen(
    visitor: Session, stack: Stack, postgres: PostgresServer
) -> None:
    stack.start_worker()
    wait_until(lambda: visitor.get("/readyz").status_code == 200)
    time.sleep(2)  # the report is kept for so long
    with frozen_postgres(postgres):
        seconds, response = _seconds("/readyz", visitor)

    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "database": Reason.SILENT.predicate,
        "queue": "ok",
        "worker": "ok",
    }
    assert seconds < PAGE_LIMIT


@on_postgres
def test_a_press_while_the_database_is_frozen_says_so_and_sends_nothing(
    visitor: Session, postgres: PostgresServer, app: Flask, httpserver: HTTPServer, seeded: SeededIds
) -> None:
    with frozen_postgres(postgres):
        response = visitor.post(f"{LIST}/{seeded.destination}/test")

    assert (response.status_code, SILENT in response.text) == (503, True)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AlertDelivery)) == 0
    assert httpserver.log == []


@on_postgres
@pytest.mark.parametrize("table", ["sign_ins", "members", "alert_destinations", "alert_deliveries"])
def test_a_page_explains_within_seconds_that_a_table_is_locked(visitor: Session, database_url: str, table: str) -> None:
    with _locked_table(database_url, table), _many_pages(visitor) as load:
        results = load.results()

    assert {response.status_code for _, response in results} == {503}
    assert all(BUSY in response.text for _, response in results)
    assert max(seconds for seconds, _ in results) < PAGE_LIMIT
    assert visitor.get(LIST).status_code == 200


def test_pages_explain_within_seconds_that_a_sqlite_file_is_locked_and_the_sign_in_form_is_shown(
    visitor: Session, stack: Stack, database_url: str
) -> None:
    stack.stop()
    with _locked_file(database_url):
        visitor = visitor.with_origin(stack.start_web(threads=THREADS).origin)
        with _many_pages(visitor, count=12) as load:
            time.sleep(0.3)
            forms = [_seconds("/sign-in", visitor) for _ in range(3)]
            pages = load.results()

    assert {response.status_code for _, response in pages} == {503}
    assert all(BUSY in response.text for _, response in pages)
    assert max(seconds for seconds, _ in pages) < PAGE_LIMIT
    assert {response.status_code for _, response in forms} == {200}
    assert max(seconds for seconds, _ in forms) < AT_ONCE
    assert visitor.get(LIST).status_code == 200
