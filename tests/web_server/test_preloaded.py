"""A web server with --preload: its processes share memory with their parent, and no connection."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from benchmarks.installation.processes import Session, wait_until
from tests.factories import SeededIds
from tests.forked_processes import run_processes
from webapp import queue
from webapp.extensions import db

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

OF_OUR_DATABASE = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")


def _sockets(pid: int) -> set[str]:
    """Return the sockets of a process, by their inode: the same in two processes is one connection."""
    names = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    return {name for name in names if name.startswith("socket:")}


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _count_connections(app: Flask, redis_url: str) -> tuple[int, int]:
    """Count the connections to the database and the queue server, as the servers themselves do."""
    with app.app_context(), db.engine.connect() as connection:
        return connection.scalar(OF_OUR_DATABASE) or 0, len(queue.connect(redis_url).client_list())


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_its_processes_have_connections_of_their_own(
    app: Flask, seeded: SeededIds, environment: dict[str, str], tmp_path: Path
) -> None:
    before = _count_connections(app, environment["REDIS_URL"])
    with run_processes(environment | {"GUNICORN_CMD_ARGS": "--preload --workers 2"}, tmp_path / "logs") as stack:
        session = stack.start_web()
        parent = stack.children[0].pid
        wait_until(lambda: len(_children(parent)) == 2)
        wait_until(lambda: _have_answered(session, parent))
        of_parent, (first, second) = _sockets(parent), map(_sockets, _children(parent))
        after = _count_connections(app, environment["REDIS_URL"])

    (listener,) = of_parent  # nothing else: the start has closed what it opened
    assert first & second == {listener}
    assert [len(own - {listener}) >= 2 for own in (first, second)] == [True, True]
    assert [now - then >= 2 for now, then in zip(after, before, strict=True)] == [True, True]


def _have_answered(session: Session, parent: int) -> bool:
    """Ask for readiness many times at once, and return whether each process has connections by now."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Session(session.origin).get("/readyz").status_code, range(24)))
    assert set(answers) <= {200, 503}  # no worker runs
    return all(len(_sockets(pid)) >= 3 for pid in _children(parent))
