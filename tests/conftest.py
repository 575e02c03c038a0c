"""Fixtures for all tests: a migrated database (SQLite or PostgreSQL), a queue server, accounts and workspaces."""

import gc
import logging
import math
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
import redis
from cryptography.fernet import Fernet
from flask import Flask
from pytest_httpserver import HTTPServer

from benchmarks.installation.schema import upgrade
from benchmarks.installation.servers import (
    PostgresServer,
    QueueServer,
    ServiceMissing,
    create_database,
    start_postgres,
    start_queue_server,
)
from tests.cheap_hashes import hash_cheaply, production_cost
from tests.compiled_once import compile_once
from tests.databases import close_connections, name_template, new_database
from tests.factories import SeededIds, seed_workspaces
from tests.queue_keys import SECRET_KEY
from tests.recorded_rows import add_once
from tests.registered_once import register_once
from tests.scripted_mail_server import ScriptedMailServer, mail_server
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp import queue
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.application_core import create_core
from webapp.dashboard.poll_interval import PollBudget
from webapp.extensions import db, limiter
from webapp.logs import JsonLines
from webapp.settings import AppSettings, read_settings

NO_SKIP = os.environ.get("ALERTCHECK_NO_SKIP") == "1"

# One for all tests of a process, so that encrypted rows can be repeated in another test's database.
CONFIG_KEY = Fernet.generate_key().decode()

pytest_plugins = ["tests.runs", "tests.forked_workers", "tests.cases"]

compile_once()
register_once()
hash_cheaply()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure with its reason where nothing may be skipped (CI)."""
    report = yield
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and ALERTCHECK_NO_SKIP=1: {report.longrepr}"
    return report


class CompleteFormatter(logging.Formatter):
    """Writes a record with its arguments and exception, followed by the JSON line of the application."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {JsonLines().format(record)}"


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Pytest's `caplog`, whose text also contains the facts of an event."""
    caplog.handler.setFormatter(CompleteFormatter())
    return caplog


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    return ("127.0.0.1", 0)


@pytest.fixture(scope="session")
def queue_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueServer]:
    server = start_queue_server(tmp_path_factory.mktemp("queue"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL server with a migrated database that tests copy."""
    try:
        server = start_postgres(tmp_path_factory.mktemp("postgres"))
    except ServiceMissing as missing:
        pytest.skip(str(missing))
    migrate(create_database(server, name_template()))
    yield server
    close_connections()
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy."""
    file = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: SQLite, unless the test is marked `on_both_databases`."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database for this test alone."""
    with new_database(database, request, tmp_path) as url:
        yield url


@pytest.fixture
def environment(database_url: str, queue_server: QueueServer, httpserver: HTTPServer) -> dict[str, str]:
    """The administrator's settings as the processes of a test get them. The queue is empty."""
    _connect(queue_server.url).flushall()
    return _settings(database_url, queue_server) | {"ALERTCHECK_TRUSTED_ORIGINS": _origin(httpserver)}


@cache
def _connect(queue_url: str) -> redis.Redis:
    """Connect once for all tests of a process."""
    return queue.connect(queue_url)


def _settings(database_url: str, queue_server: QueueServer) -> dict[str, str]:
    return {
        "SECRET_KEY": SECRET_KEY,
        "ALERTCHECK_CONFIG_KEYS": CONFIG_KEY,
        "DATABASE_URL": database_url,
        "REDIS_URL": queue_server.url,
    }


def _origin(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def mailbox() -> Iterator[ScriptedMailServer]:
    """A mail server that accepts everything. A test may change its script."""
    with mail_server() as server:
        yield server


@pytest.fixture
def app_settings(environment: dict[str, str]) -> AppSettings:
    return read_settings(environment)


@pytest.fixture
def app(app_settings: AppSettings) -> Iterator[Flask]:
    """The application. No context is pushed: each request of a test gets its own, as in production.

    The poll budget is unlimited: tests poll without waiting and must not slow down each other's fragments.
    """
    app = create_app(app_settings)
    app_state(app).poll_budget = PollBudget(budget=math.inf)
    yield app
    app_state(app).redis.close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(autouse=True)
def _forget_outage() -> None:
    """Let the limiter, which all applications of a process share, forget that a test before had no queue server."""
    limiter._storage_dead = False


@pytest.fixture
def production_hashes() -> Iterator[None]:
    """Passwords are hashed at the cost of production, for tests of that cost, or of what happens meanwhile."""
    with production_cost():
        yield


@pytest.fixture
def uninterrupted() -> Iterator[None]:
    """No garbage is collected: in a deep recursion, whatever a collection finalizes would fail in it."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """Push an application context for tests that call the application directly."""
    with app.app_context():
        yield
        db.session.rollback()


@pytest.fixture
def seeded(app: Flask, app_settings: AppSettings, environment: dict[str, str], httpserver: HTTPServer) -> SeededIds:
    """The accounts, workspaces and destinations of most tests."""
    origin, keys = _origin(httpserver), environment["ALERTCHECK_CONFIG_KEYS"]
    return add_once(app, lambda: seed_workspaces(app_settings, origin), origin, keys, app_settings.secret_key)


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest, queue_server: QueueServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], tuple[Flask, SeededIds]]]:
    """An application with seeded workspaces, by kind of database, for tests of a module that leave no rows behind."""
    with ExitStack() as stack:

        @cache
        def share(kind: str) -> tuple[Flask, SeededIds]:
            url = stack.enter_context(new_database(kind, request, tmp_path_factory.mktemp("shared")))
            app_settings = read_settings(_settings(url, queue_server))
            app = create_app(app_settings)
            with app.app_context():
                stack.callback(db.engine.dispose)
                return app, seed_workspaces(app_settings, "https://example.com")

        yield share


@pytest.fixture
def visit(app: Flask) -> Callable[[int], Visitor]:
    """Open a browser that is signed in to a seeded account."""
    return lambda account_id: Visitor.signed_in(app, account_id)


def migrate(url: str) -> None:
    """Upgrade a database to the newest schema, as `flask db upgrade` does."""
    with migrated(url):
        pass


@contextmanager
def migrated(url: str, version: str = "head") -> Iterator[None]:
    """Upgrade a database to a version of the schema, and be in the context of its application inside a `with`."""
    app_settings = read_settings(
        {
            "SECRET_KEY": "no page is signed with this, so any will do",
            "ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": url,
            "REDIS_URL": "redis://127.0.0.1:1",
        }
    )
    with create_core(app_settings).app_context():
        upgrade(revision=version)
        yield
        db.engine.dispose()


@pytest.fixture
def count_queries(app: Flask, context: None) -> Callable[[], AbstractContextManager[list[str]]]:
    """Collect the statements executed inside a `with`."""
    return partial(collecting_statements, app)
