"""PostgreSQL crashes and restarts: the web server and the worker survive, and work again at once."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from benchmarks.installation.processes import Session, Stack, wait_until
from benchmarks.installation.servers import EmbeddedPostgres, PostgresServer, ServiceMissing
from tests.factories import SECRET_PATH, SeededIds

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database", ["postgres"], indirect=True)]

LIST = "/w/harbor/destinations"


@pytest.fixture
def session(seeded: SeededIds, owner: tuple[str, str], stack: Stack) -> Session:
    """A signed-in browser session, before the crash."""
    session = stack.start_web().sign_in(*owner)
    stack.start_worker()
    wait_until(lambda: session.get("/readyz").status_code == 200)
    assert session.get(LIST).status_code == 200
    return session


@pytest.fixture
def crashed(session: Session, postgres: PostgresServer) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server that has just crashed. It is restarted for the next test."""
    try:
        postgres.kill()
    except ServiceMissing as missing:
        pytest.skip(str(missing))
    assert isinstance(postgres, EmbeddedPostgres)
    yield postgres
    if postgres.process.exit_code() is not None:
        postgres.restart()


@pytest.mark.usefixtures("crashed")
def test_pages_return_503_and_the_process_lives_while_postgresql_is_down(session: Session) -> None:
    assert (session.get(LIST).status_code, session.get("/healthz").status_code) == (503, 200)


def test_the_first_page_after_the_restart_is_served(session: Session, crashed: EmbeddedPostgres) -> None:
    crashed.restart()

    assert session.get(LIST).status_code == 200


def test_a_press_after_the_restart_is_sent(
    session: Session, crashed: EmbeddedPostgres, stack: Stack, seeded: SeededIds, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    crashed.restart()

    session.post(f"{LIST}/{seeded.destination}/test")

    wait_until(lambda: 'data-last-test="sent"' in session.get(LIST).text)
    assert len(httpserver.log) == 1
    assert [child.exit_code() for child in stack.children] == [None, None]
