"""The connection pool: it reuses connections under load, and gives back what is idle."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from benchmarks.installation.processes import wait_until
from benchmarks.installation.servers import execute
from tests.database_role import database_role
from tests.databases import APPLICATION
from webapp.database import connection_pool
from webapp.database.connection_pool import SharingPool

Keep = Callable[..., None]

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)

# Seconds that pass while a test looks for what stays open, and those that do not pass within a test.
BRIEFLY, LONG = 0.3, 600.0


@pytest.fixture(autouse=True)
def keep(monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Set the pool's limits within a test. At its beginning nothing is given back, however slow the machine is."""

    def keep(idle: float = LONG, last: float = LONG) -> None:
        monkeypatch.setattr(connection_pool, "KEEP_IDLE", idle)
        monkeypatch.setattr(connection_pool, "KEEP_LAST", last)

    monkeypatch.setattr(connection_pool, "CHECK_INTERVAL", 0.05)
    keep()
    return keep


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    options = {"pool_size": 4, "max_overflow": 0, "pool_timeout": 0.2, "pool_use_lifo": True}
    engine = create_engine(database_url, poolclass=SharingPool, **options)
    yield engine
    engine.dispose()


@pytest.fixture
def count_open(database_url: str) -> Iterator[Callable[[], int]]:
    """Count the server's other connections to this database."""
    observer = create_engine(database_url, isolation_level="AUTOCOMMIT")
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        f" AND backend_type = 'client backend' AND application_name <> '{APPLICATION}'"
    )
    with observer.connect() as connection:
        yield lambda: connection.execute(query).scalar_one()
    observer.dispose()


def _use(engine: Engine, count: int) -> set[int]:
    """Hold this many connections at once, and return the ids of the server's processes."""
    with ExitStack() as stack:
        held = [stack.enter_context(engine.connect()) for _ in range(count)]
        return {connection.scalar(text("SELECT pg_backend_pid()")) for connection in held}


def test_connections_that_are_used_again_soon_are_reused(engine: Engine) -> None:
    first = _use(engine, 4)

    assert _use(engine, 4) == first


def test_idle_connections_are_given_back_but_for_one(engine: Engine, count_open: Callable[[], int], keep: Keep) -> None:
    _use(engine, 4)
    assert count_open() == 4

    keep(idle=BRIEFLY)

    wait_until(lambda: count_open() == 1)


def test_the_last_idle_connection_is_given_back_later(
    engine: Engine, count_open: Callable[[], int], keep: Keep
) -> None:
    keep(idle=BRIEFLY)
    _use(engine, 1)
    time.sleep(3 * BRIEFLY)
    assert count_open() == 1

    keep(idle=BRIEFLY, last=BRIEFLY)

    wait_until(lambda: count_open() == 0)


def test_a_pool_that_gave_back_all_connections_opens_new_ones(
    engine: Engine, count_open: Callable[[], int], keep: Keep
) -> None:
    keep(idle=BRIEFLY, last=BRIEFLY)
    _use(engine, 4)
    wait_until(lambda: count_open() == 0)

    assert len(_use(engine, 4)) == 4
    wait_until(lambda: count_open() == 0)


def test_the_connection_used_last_is_the_one_that_is_kept(
    engine: Engine, count_open: Callable[[], int], keep: Keep
) -> None:
    keep(idle=BRIEFLY)
    _use(engine, 4)
    wait_until(lambda: count_open() == 1)
    (kept,) = _use(engine, 1)

    assert _use(engine, 1) == {kept}


def test_a_connection_in_use_is_never_closed(engine: Engine, keep: Keep) -> None:
    keep(idle=BRIEFLY, last=BRIEFLY)
    with engine.connect() as connection:
        _use(engine, 3)
        time.sleep(5 * BRIEFLY)

        assert connection.scalar(text("SELECT 1")) == 1


def test_there_are_never_more_connections_than_the_pools_size(
    engine: Engine, count_open: Callable[[], int], keep: Keep
) -> None:
    keep(idle=BRIEFLY, last=4 * BRIEFLY)
    most, stop = 0, threading.Event()

    def use_often(_number: int) -> None:
        while not stop.is_set():
            try:
                _use(engine, 1)
            except PoolTimeout:  # many threads share few connections
                continue
            time.sleep(0.02)

    with ThreadPoolExecutor(8) as threads:
        [threads.submit(use_often, number) for number in range(8)]
        for _ in range(60):
            most = max(most, count_open())
            time.sleep(0.03)
        stop.set()

    assert most == 4
    wait_until(lambda: count_open() == 0)


def test_a_pool_whose_server_has_no_free_connection_keeps_only_one(database_url: str) -> None:
    with database_role(database_url) as role:
        role.alter("CONNECTION LIMIT 2")
        engine = create_engine(role.url, poolclass=SharingPool, pool_size=4, max_overflow=0)
        with pytest.raises(OperationalError, match="too many connections"):
            _use(engine, 3)

        (kept,) = execute(database_url, f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role.name}'")

        assert kept == 1
        assert len(_use(engine, 2)) == 2
        engine.dispose()


def test_a_thread_waits_for_anothers_connection_if_the_server_has_no_free_one(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_pool, "WAIT_FOR_OTHERS", LONG)
    with database_role(database_url) as role, ExitStack() as stack:
        role.alter("CONNECTION LIMIT 1")
        engine = create_engine(role.url, poolclass=SharingPool, pool_size=4, max_overflow=0, pool_use_lifo=True)
        stack.callback(engine.dispose)
        held = engine.connect()
        released = threading.Timer(0.3, held.close)
        released.start()

        assert len(_use(engine, 1)) == 1
        released.join()


def test_a_thread_waits_a_second_at_most_for_anothers_connection(database_url: str) -> None:
    with database_role(database_url) as role, ExitStack() as stack:
        role.alter("CONNECTION LIMIT 1")
        engine = create_engine(role.url, poolclass=SharingPool, pool_size=4, max_overflow=0, pool_use_lifo=True)
        stack.callback(engine.dispose)
        stack.enter_context(engine.connect())
        started = time.monotonic()

        with pytest.raises(OperationalError, match="too many connections"):
            engine.connect()

        assert 1 <= time.monotonic() - started < 15  # a busy machine needs seconds to connect


def test_disposing_the_pool_ends_its_thread(engine: Engine) -> None:
    others = set(threading.enumerate())  # those of earlier tests may end at any time
    _use(engine, 2)
    (closer,) = [one for one in threading.enumerate() if one not in others and one.name == "closes idle connections"]

    engine.dispose()

    assert not closer.is_alive()
