"""Why PostgreSQL refuses a connection: each cause has its own sentence, with the cure and without any secret."""

import socket
from collections.abc import Iterator
from signal import SIGINT

import pytest

from benchmarks.installation.scripted_server import full_port, listening
from benchmarks.installation.servers import EmbeddedPostgres, ServiceMissing, execute, start_postgres
from tests.database.connections import fail, reason_of
from webapp.database.connection_errors import find_connection_reason
from webapp.database.outages import Outage, Reason, describe_outage, find_outage, find_reason

pytestmark = pytest.mark.usefixtures("no_settings_of_the_client")

CANARY = "canary-password"
# Whoever is not in these lines cannot sign in.
ACCESS = """
local all      postgres  trust
local app      stranger  trust
local barred   all       reject
local machine  all       peer
local app,crowded,closed,private,missing all scram-sha-256
"""


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server with passwords, limits and rules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TEST_DATABASE_URL", raising=False)
        try:
            server = start_postgres(tmp_path_factory.mktemp("strict"))
        except ServiceMissing as missing:
            pytest.skip(str(missing))
    assert isinstance(server, EmbeddedPostgres)
    execute(
        server.url,
        *(f"CREATE DATABASE {name}" for name in ("app", "barred", "machine", "private")),
        "CREATE DATABASE crowded CONNECTION LIMIT 0",
        "CREATE DATABASE closed ALLOW_CONNECTIONS false",
        "REVOKE CONNECT ON DATABASE private FROM public",
        f"CREATE ROLE ann LOGIN PASSWORD '{CANARY}'",
        f"CREATE ROLE crowd LOGIN PASSWORD '{CANARY}' CONNECTION LIMIT 0",
        f"CREATE ROLE retired NOLOGIN PASSWORD '{CANARY}'",
    )
    (server.home / "data" / "pg_hba.conf").write_text(ACCESS)
    execute(server.url, "SELECT pg_reload_conf()")
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("user", "database", "reason"),
    [
        (f"ann:{CANARY}x", "app", Reason.WRONG_PASSWORD),
        (f"nobody:{CANARY}", "app", Reason.WRONG_PASSWORD),
        ("ann", "app", Reason.NO_PASSWORD),
        ("stranger", "app", Reason.WRONG_USER),
        (f"retired:{CANARY}", "app", Reason.NO_LOGIN),
        ("machine", "machine", Reason.PEER),
        (f"ann:{CANARY}", "missing", Reason.NO_DATABASE),
        (f"ann:{CANARY}", "private", Reason.NO_CONNECT),
        (f"ann:{CANARY}", "closed", Reason.NO_CONNECT),
        (f"ann:{CANARY}", "crowded", Reason.TOO_MANY),
        (f"crowd:{CANARY}", "app", Reason.TOO_MANY),
        (f"ann:{CANARY}", "barred", Reason.NOT_LISTED),
        (f"ann:{CANARY}", "unlisted", Reason.TLS_REQUIRED),
    ],
)
def test_a_refused_sign_in_has_its_cause(embedded: EmbeddedPostgres, user: str, database: str, reason: Reason) -> None:
    error = fail(f"postgresql://{user}@/{database}?host={embedded.home}")
    assert find_reason(error) is reason
    assert CANARY not in (describe_outage(error) or CANARY)


def test_an_option_that_the_server_does_not_know_is_named(embedded: EmbeddedPostgres) -> None:
    url = f"postgresql://ann:{CANARY}@/app?host={embedded.home}&options=-c%20nothing%3D1"
    assert reason_of(url) is Reason.BAD_OPTIONS


def test_a_user_without_rights_on_a_table_has_its_cause(embedded: EmbeddedPostgres) -> None:
    url = f"postgresql://ann:{CANARY}@/app?host={embedded.home}"
    assert reason_of(url, "SELECT * FROM pg_authid") is Reason.NO_PRIVILEGE


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://ann@nowhere.invalid/app", Reason.UNKNOWN_HOST),
        ("postgresql://ann@127.0.0.1:1/app", Reason.REFUSED),
        ("postgresql://ann@localhost:1/app", Reason.REFUSED),
        ("postgresql://ann@/app?host=/nowhere", Reason.NO_SOCKET),
        ("postgresql://ann@255.255.255.255/app", Reason.NO_ROUTE),
        ("postgresql://ann@127.0.0.1:1/app?sslmode=always", Reason.BAD_OPTIONS),
        ("postgresql://ann@127.0.0.1:1/app?nothing=1", Reason.BAD_OPTIONS),
        ("postgresql://ann@127.0.0.1:1/app?sslmode=verify-ca&sslrootcert=system", Reason.BAD_OPTIONS),
        ("postgresql://ann@/app?host=127.0.0.1,localhost&port=1,2", Reason.REFUSED),
    ],
)
def test_a_server_that_is_not_found_has_its_cause(url: str, reason: Reason) -> None:
    assert reason_of(url) is reason


@pytest.mark.slow
def test_a_server_that_never_responds_has_its_cause() -> None:
    with full_port() as port:
        assert reason_of(f"postgresql://ann@127.0.0.1:{port}/app") is Reason.SILENT


@pytest.mark.parametrize("query", ["", "?sslmode=disable", "?sslmode=require"])
@pytest.mark.parametrize(
    ("greeting", "reasons"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", {Reason.NOT_POSTGRESQL}),
        (b"-ERR unknown command\r\n", {Reason.NOT_POSTGRESQL}),
        (b"", {Reason.CLOSED}),
    ],
    ids=["http", "redis", "closes"],
)
def test_another_service_on_the_port_has_its_cause(greeting: bytes, reasons: set[Reason], query: str) -> None:
    def greet(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(greeting)

    with listening(greet, read_first=False) as other:
        assert reason_of(f"postgresql://ann@127.0.0.1:{other.port}/app{query}") in reasons


def test_a_server_without_tls_has_its_cause() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"N")

    with listening(refuse, read_first=False) as plain:
        assert reason_of(f"postgresql://ann@127.0.0.1:{plain.port}/app?sslmode=require") is Reason.TLS_UNSUPPORTED


# As PostgreSQL 15 and PgBouncer 1.18 wrote them.
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("FATAL:  sorry, too many clients already", Reason.TOO_MANY),
        ("FATAL:  remaining connection slots are reserved for non-replication superuser connections", Reason.TOO_MANY),
        ("FATAL:  no more connections allowed (max_client_conn)", Reason.TOO_MANY),
        ("FATAL:  the database system is starting up", Reason.STARTING),
        ("FATAL:  the database system is shutting down", Reason.STARTING),
        ("FATAL:  the database system is in recovery mode", Reason.STARTING),
        ("FATAL:  the database system is not yet accepting connections", Reason.STARTING),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ann", database "app", no encryption',
            Reason.TLS_REQUIRED,
        ),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ann", database "app", SSL off', Reason.TLS_REQUIRED),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ann", database "app", SSL encryption\n'
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ann", database "app", no encryption',
            Reason.NOT_LISTED,
        ),
        (
            "FATAL:  connection requires a valid client certificate\n"
            'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ann", database "app", no encryption',
            Reason.CLIENT_CERTIFICATE,
        ),
        ("FATAL:  SSL required", Reason.TLS_REQUIRED),
        ("FATAL:  password authentication failed", Reason.WRONG_PASSWORD),
        ("FATAL:  no such database: app", Reason.NO_DATABASE),
        ("FATAL:  unsupported startup parameter: options", Reason.POOLER_OPTIONS),
        ("FATAL:  query_wait_timeout", Reason.POOLER_BUSY),
        ('FATAL:  server login failed: FATAL password authentication failed for user "ann"', Reason.POOLER),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »ann« fehlgeschlagen", Reason.SIGN_IN_REFUSED),
        ("FATALE\u00a0: authentification par mot de passe échouée pour l'utilisateur « ann »", Reason.SIGN_IN_REFUSED),
        ('ВАЖНО:  пользователь "ann" не прошёл проверку подлинности (по паролю)', Reason.SIGN_IN_REFUSED),
        ('致命错误:  用户 "ann" Password 认证失败', Reason.SIGN_IN_REFUSED),
    ],
)
def test_the_words_of_a_refusal_lead_to_its_cause(words: str, reason: Reason) -> None:
    text = f'connection failed: connection to server at "10.0.0.2", port 5432 failed: {words}'
    assert find_connection_reason(text) is reason


def test_unknown_words_lead_to_no_cause() -> None:
    assert find_connection_reason("something else") is None


def test_a_standby_is_told_from_a_server_that_is_read_only(embedded: EmbeddedPostgres) -> None:
    url = f"postgresql://postgres@/app?host={embedded.home}"
    options = "options=-c%20default_transaction_read_only%3Don"
    assert reason_of(f"{url}&{options}", "CREATE TABLE t ()") is Reason.READ_ONLY

    signal = embedded.home / "data" / "standby.signal"
    signal.touch()
    embedded.process.stop(signal=SIGINT, grace_period=30)
    embedded.restart()
    try:
        assert reason_of(url, "CREATE TABLE t ()") is Reason.STANDBY
        assert reason_of(f"{url}&target_session_attrs=read-write") is Reason.STANDBY
        assert find_outage(fail(url, "CREATE TABLE t ()")) is Outage.READ_ONLY
    finally:
        signal.unlink()
        embedded.process.stop(signal=SIGINT, grace_period=30)
        embedded.restart()
