"""The first start of an installation, with real web servers: the link in the log, and what follows from it."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.installation.processes import TIME_LIMIT, Session, Stack, free_port, wait_until
from tests.conftest import migrate
from tests.databases import unmigrated_database
from tests.forked_processes import run_processes
from webapp.application import create_app
from webapp.extensions import Base, db
from webapp.settings import read_settings

OPEN = "no account exists yet: open the set-up link to make the first one"
WORKS_ALREADY = "no account exists yet, and a set-up link works already"
FIRST = {"name": "Ann", "email": "ann@example.com", "password": "velvet anchor quince 7", "workspace": "Harbor"}


def _read_lines(logs: Path) -> list[dict[str, Any]]:
    """Return what the web servers have logged about the set-up link, by all processes."""
    lines = [line for log in sorted(logs.glob("*.log")) for line in log.read_text().splitlines()]
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [event for event in events if event["logger"] == "webapp.startup.set_up_announcement"]


def _read_link(logs: Path) -> str:
    (link,) = {event["link"] for event in _read_lines(logs) if event["event"] == OPEN}
    return str(link)


def _read_form_token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def _dump(environment: dict[str, str]) -> str:
    """Return every row of the database."""
    app = create_app(read_settings(environment))
    with app.app_context():
        rows = [db.session.execute(text(f'SELECT * FROM "{table}"')).all() for table in Base.metadata.tables]
        db.session.rollback()
        db.engine.dispose()
    return repr(rows)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(environment: dict[str, str], port: int) -> dict[str, str]:
    return environment | {"ALERTCHECK_PUBLIC_URL": f"http://127.0.0.1:{port}", "WEB_CONCURRENCY": "2"}


@pytest.fixture
def starts() -> Iterator[ThreadPoolExecutor]:
    """Threads that start web servers at once."""
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def stack(environment: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    with run_processes(environment, tmp_path / "logs") as stack:
        yield stack


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_of_web_servers_that_start_at_once_one_logs_the_link_which_makes_the_first_account(
    starts: ThreadPoolExecutor, stack: Stack, environment: dict[str, str], port: int
) -> None:
    sessions = list(starts.map(lambda where: stack.start_web(port=where), (port, free_port())))
    wait_until(lambda: len(_read_lines(stack.logs)) == 4)  # of two processes each
    link = _read_link(stack.logs)
    token = link.rpartition("/")[2]
    visitor, other = sessions
    opened = visitor.get(f"/set-up/{token}")
    form = FIRST | {"csrf_token": _read_form_token(opened.text)}
    done = visitor.http.post(f"{visitor.origin}/set-up", data=form, timeout=TIME_LIMIT)

    assert sorted(event["event"] for event in _read_lines(stack.logs)) == [WORKS_ALREADY] * 3 + [OPEN]
    assert link == f"{visitor.origin}/set-up/{token}"
    assert (done.status_code, done.url) == (200, f"{visitor.origin}/w/harbor/destinations")
    assert other.get(f"/set-up/{token}").status_code == 404

    stack.start_web()
    logs = "".join(log.read_text() for log in stack.logs.glob("*.log"))
    assert (len(_read_lines(stack.logs)), logs.count(token)) == (4, 1)
    assert [page for page in (opened, done) if token in page.text or token in page.url] == []
    assert token not in _dump(environment)


def test_the_link_is_logged_as_soon_as_the_database_is_migrated_and_without_the_queue_server(
    environment: dict[str, str], port: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with unmigrated_database("sqlite", request, tmp_path) as url:
        environment |= {"DATABASE_URL": url.replace("alertcheck.sqlite", "new.sqlite")}
        environment |= {"REDIS_URL": "redis://127.0.0.1:1", "WEB_CONCURRENCY": "1"}
        with run_processes(environment, tmp_path / "logs") as stack:
            visitor: Session = stack.start_web(port=port)
            assert _read_lines(stack.logs) == []
            migrate(environment["DATABASE_URL"])
            wait_until(lambda: _read_lines(stack.logs))
            opened = visitor.http.get(_read_link(stack.logs), timeout=TIME_LIMIT)

    assert (opened.status_code, opened.url) == (200, f"http://127.0.0.1:{port}/set-up")
