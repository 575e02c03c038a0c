"""A PostgreSQL server with fewer connections than all processes together may open: every test ends in time."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import func, select

from benchmarks.installation.processes import Session, wait_until
from tests.database_role import DatabaseRole, database_role
from tests.factories import SECRET_PATH, SIGNING_SECRET, SeededIds, get_account, get_workspace
from tests.forked_processes import run_processes
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, database_clock
from webapp.models.delivery import IS_WAITING
from webapp.settings import AppSettings
from webapp.views.errors import RELOAD

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database", ["postgres"], indirect=True)]

# For two web servers with 8 threads each, and two workers with a parent and two processes each.
CONNECTIONS = 14
DESTINATIONS = 47
# Each of two web servers gets as many requests at once as it has threads.
THREADS = 8


@pytest.fixture
def role(database_url: str) -> Iterator[DatabaseRole]:
    with database_role(database_url) as role:
        role.alter(f"CONNECTION LIMIT {CONNECTIONS}")
        yield role


@pytest.fixture
def destination_ids(app: Flask, seeded: SeededIds, app_settings: AppSettings, httpserver: HTTPServer) -> list[int]:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    settings = {"address": httpserver.url_for(SECRET_PATH), "signing_secret": SIGNING_SECRET}
    with app.app_context():
        owner = get_workspace(seeded), get_account(seeded)
        return [
            add_destination(
                *owner, "webhook", f"Place {number}", settings, app_settings.cipher, database_clock.now()
            ).id
            for number in range(DESTINATIONS)
        ]


def _press(session: Session, destination_id: int) -> int:
    """Press, again and again while there is no free connection for the request."""
    for _ in range(40):
        status = session.post(f"/w/harbor/destinations/{destination_id}/test").status_code
        if status != 503:
            break
    return status


def _count_pending(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(AlertDelivery).where(IS_WAITING)) or 0


def test_every_test_ends_although_connections_are_short(
    app: Flask,
    role: DatabaseRole,
    environment: dict[str, str],
    owner: tuple[str, str],
    destination_ids: list[int],
    httpserver: HTTPServer,
    tmp_path: Path,
) -> None:
    with run_processes(environment | {"DATABASE_URL": role.url}, tmp_path / "logs") as stack:
        first = stack.start_web(threads=THREADS).sign_in(*owner)
        sessions = [first, first.with_origin(stack.start_web(threads=THREADS).origin)]
        with ThreadPoolExecutor(len(sessions) * THREADS) as threads:  # opens as many connections as it can
            list(threads.map(lambda number: sessions[number % 2].get("/w/harbor/destinations").status_code, range(64)))
            stack.start_worker()
            stack.start_worker()
            presses = threads.map(
                lambda pair: _press(sessions[pair[0] % 2], pair[1]), enumerate(destination_ids), timeout=100
            )
            statuses = Counter(presses)

        wait_until(lambda: _count_pending(app) == 0)

    with app.app_context():
        outcomes = Counter(db.session.scalars(select(AlertDelivery.status)))
    # 503 does not say whether the press was accepted; 429 then says that it was.
    assert statuses.keys() <= {200, 429}
    assert outcomes == {DeliveryStatus.SENT: DESTINATIONS}
    assert len({request.headers["webhook-id"] for request, _ in httpserver.log}) == len(httpserver.log) == DESTINATIONS


def test_a_request_that_finds_no_connection_answers_503_with_words(
    role: DatabaseRole, environment: dict[str, str], owner: tuple[str, str], tmp_path: Path
) -> None:
    with run_processes(environment | {"DATABASE_URL": role.url}, tmp_path / "logs") as stack:
        visitor = stack.start_web().sign_in(*owner)

        role.alter("CONNECTION LIMIT 0")
        response = visitor.get("/w/harbor/destinations")

        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        assert RELOAD in response.text
