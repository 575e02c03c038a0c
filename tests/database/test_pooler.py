"""The application behind a real PgBouncer, which gives each transaction any connection to the server."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from benchmarks.installation.processes import wait_until
from benchmarks.installation.servers import PostgresServer, ServiceMissing, create_database, drop_database
from tests.conftest import migrate
from tests.database.connections import connect_as_application, reason_of, succeed
from tests.forked_processes import installed
from tests.outbound.certificates import authority, issue, write_pem
from tests.pooler import PASSWORD, Pooler, running_pooler
from webapp.application import create_app
from webapp.database.outages import Reason
from webapp.database.request_timeouts import STATEMENT_TIMEOUT
from webapp.extensions import db
from webapp.models import DeliveryStatus
from webapp.settings import read_settings

pytestmark = pytest.mark.usefixtures("no_settings_of_the_client")

MODES = ["transaction", "session"]
on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)


class Strict(NamedTuple):
    url: str
    ca_file: str


@pytest.fixture(scope="module", params=MODES)
def pooler(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[Pooler]:
    try:
        with running_pooler(postgres.url, pool_mode=request.param) as pooler:
            yield pooler
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def pooled(pooler: Pooler, environment: dict[str, str]) -> Iterator[Flask]:
    """The application behind the pooler."""
    app = create_app(read_settings(environment | {"DATABASE_URL": pooler.url(environment["DATABASE_URL"])}))
    yield app
    with app.app_context():
        db.engine.dispose()


@on_postgres
def test_connections_that_share_one_of_the_server_execute_the_same_statements(pooled: Flask) -> None:
    found = []
    with pooled.app_context(), ExitStack() as stack:
        connections = [stack.enter_context(db.engine.connect()) for _ in range(3)]
        for number in range(12):  # psycopg would prepare a statement that it has seen five times
            for connection in connections:
                found.append(connection.execute(text("SELECT :number + 1"), {"number": number}).scalar_one())
                connection.commit()
    assert found == [number + 1 for number in range(12) for _ in range(3)]


@on_postgres
def test_the_time_limit_of_a_request_does_not_outlast_its_transaction(pooled: Flask) -> None:
    show = text("SHOW statement_timeout")
    with pooled.test_request_context():
        assert db.session.execute(show).scalar_one() == f"{STATEMENT_TIMEOUT * 1000:.0f}ms"
    with pooled.app_context():
        assert db.session.execute(show).scalar_one() == "0"


@on_postgres
def test_the_readiness_report_finds_no_fault_in_the_database(pooled: Flask) -> None:
    report = pooled.test_client().get("/readyz").json or {}
    assert report["database"] == "ok"


def test_migrations_run(pooler: Pooler, postgres: PostgresServer) -> None:
    url = create_database(postgres, "behind_a_pooler")
    try:
        migrate(pooler.url(url))
    finally:
        drop_database(postgres, "behind_a_pooler")


@on_postgres
def test_tests_arrive_once(pooler: Pooler, database_url: str, tmp_path: Path) -> None:
    with installed(pooler.url(database_url), tmp_path) as installation:
        installation.stack.start_worker()
        destinations = [installation.add_webhook(f"{installation.receiver.origin}/takes", f"n{i}") for i in range(12)]
        deliveries = [installation.request_test(destination) for destination in destinations]
        installation.enqueue(*deliveries)
        wait_until(installation.is_at_rest, time_limit=60)
        rows = [installation.get(delivery) for delivery in deliveries]
        assert {row.status for row in rows} == {DeliveryStatus.SENT}
        assert {installation.count_messages(row) for row in rows} == {1}


@pytest.fixture(scope="module")
def strict(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    """A pooler that requires TLS, and the file of its authority."""
    root, folder = authority("Harbor Root"), tmp_path_factory.mktemp("strict")
    own = issue("pooler", root, names=[x509.IPAddress(ip_address("127.0.0.1"))])
    try:
        with running_pooler(postgres.url, own, client_tls_sslmode="require") as pooler:
            yield Strict(pooler.url(postgres.url), write_pem(folder, root))
    except ServiceMissing as missing:
        pytest.skip(str(missing))


def test_the_administrators_file_vouches_for_a_pooler_with_tls(strict: Strict) -> None:
    assert succeed(f"{strict.url}?sslmode=verify-full", strict.ca_file)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?sslmode=disable", Reason.TLS_REQUIRED),
        ("?sslmode=verify-full", Reason.NO_AUTHORITIES),
        ("?options=-c%20statement_timeout%3D1", Reason.POOLER_OPTIONS),
    ],
)
def test_a_refusal_by_a_pooler_has_its_cause(strict: Strict, query: str, reason: Reason) -> None:
    assert reason_of(strict.url + query) is reason


def test_a_wrong_password_for_a_pooler_has_its_cause(strict: Strict) -> None:
    assert reason_of(strict.url.replace(f":{PASSWORD}@", ":canary@")) is Reason.WRONG_PASSWORD


def test_a_database_that_the_pooler_does_not_find_has_its_cause(strict: Strict) -> None:
    assert reason_of(f"{strict.url}_missing") is Reason.NO_DATABASE


def test_a_pooler_with_too_many_clients_has_its_cause(postgres: PostgresServer) -> None:
    try:
        with running_pooler(postgres.url, max_client_conn="1") as pooler:
            url = pooler.url(postgres.url)
            engine = connect_as_application(url)
            wait_until(lambda: _connects(engine))  # the connection that found it listening may still count
            with engine.connect():
                assert reason_of(url) is Reason.TOO_MANY
    except ServiceMissing as missing:
        pytest.skip(str(missing))


def _connects(engine: Engine) -> bool:
    with suppress(DBAPIError), engine.connect():
        return True
    return False


@pytest.mark.usefixtures("postgres")  # so that it counts as a test that needs a server
def test_a_pooler_that_does_not_reach_the_server_has_its_cause() -> None:
    try:
        with running_pooler("postgresql://nobody@127.0.0.1:1/none", query_wait_timeout="1") as pooler:
            assert reason_of(pooler.url("postgresql:///none")) is Reason.POOLER_BUSY
    except ServiceMissing as missing:
        pytest.skip(str(missing))
