"""The PostgreSQL server of the tests: it is real, and can crash and restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from benchmarks.installation.servers import (
    EmbeddedPostgres,
    PostgresServer,
    ServiceMissing,
    create_database,
    drop_database,
    start_postgres,
)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TEST_DATABASE_URL", raising=False)
        try:
            server = start_postgres(tmp_path_factory.mktemp("postgres"))
        except ServiceMissing as reason:
            pytest.skip(str(reason))
    yield server
    server.stop()


def run(url: str, statement: str) -> object:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


def test_a_new_database_is_empty_and_takes_rows(embedded: PostgresServer) -> None:
    url = create_database(embedded, "fresh")
    run(url, "CREATE TABLE items (weight int)")
    run(url, "INSERT INTO items VALUES (7)")
    assert run(url, "SELECT weight FROM items") == 7


def test_a_database_made_from_a_template_has_its_tables(embedded: PostgresServer) -> None:
    run(create_database(embedded, "original"), "CREATE TABLE items (weight int)")
    assert run(create_database(embedded, "copy", template="original"), "SELECT count(*) FROM items") == 0


def test_a_dropped_database_is_gone(embedded: PostgresServer) -> None:
    url = create_database(embedded, "doomed")
    drop_database(embedded, "doomed")
    with pytest.raises(OperationalError, match="does not exist"):
        run(url, "SELECT 1")


def test_a_killed_server_refuses_connections_and_keeps_committed_rows(embedded: PostgresServer) -> None:
    url = create_database(embedded, "lasting")
    run(url, "CREATE TABLE items AS SELECT 7 AS weight")
    embedded.kill()
    with pytest.raises(OperationalError):
        run(url, "SELECT 1")
    embedded.restart()
    assert run(url, "SELECT weight FROM items") == 7


def test_a_stopped_server_leaves_no_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded: PostgresServer
) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    server = start_postgres(tmp_path)
    server.stop()
    assert isinstance(server, EmbeddedPostgres)
    assert not server.home.exists()
    assert server.process.exit_code() == 0


def test_a_given_server_is_used_and_not_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://me:secret@db.example/postgres")
    server = start_postgres(tmp_path)
    server.stop()
    assert server.url == "postgresql+psycopg://me:secret@db.example/postgres"
    with pytest.raises(ServiceMissing, match="not ours to kill"):
        server.kill()
