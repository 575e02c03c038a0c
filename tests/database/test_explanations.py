"""The sentence for each way in which DATABASE_URL can be wrong, from errors of real servers and files."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import psycopg
import pytest
import trustme
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from benchmarks.installation.processes import free_port
from benchmarks.installation.servers import (
    FOR_TESTS,
    EmbeddedPostgres,
    ServiceMissing,
    execute,
    start_postgres,
)
from webapp.database.engine import connect_args, engine_url
from webapp.database.explanations import explain

SECRET = "canary-7f3a"

# Who may connect to what, and how. Databases and users may be named that do not exist.
HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
hostssl tls_only all 127.0.0.1/32 trust
host closed all 127.0.0.1/32 reject
host alertcheck,missing,forbidden all 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server on the loopback interface that asks for passwords. Returns its host and port."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TEST_DATABASE_URL", raising=False)
        patch.setitem(FOR_TESTS, "listen_addresses", "127.0.0.1")
        patch.setenv("PGPORT", str(port))  # for the server, and for the connection that waits for it
        try:
            started = start_postgres(tmp_path_factory.mktemp("postgres"))
        except ServiceMissing as reason:
            pytest.skip(str(reason))
        assert isinstance(started, EmbeddedPostgres)
        data = started.home / "data"
        execute(
            started.url,
            f"CREATE ROLE alertcheck LOGIN PASSWORD '{SECRET}'",
            f"CREATE ROLE sleeper PASSWORD '{SECRET}'",
            f"CREATE ROLE limited LOGIN PASSWORD '{SECRET}' CONNECTION LIMIT 0",
            "CREATE DATABASE alertcheck OWNER alertcheck",
            "CREATE DATABASE tls_only",
            "CREATE DATABASE forbidden",
            "REVOKE CONNECT ON DATABASE forbidden FROM PUBLIC",
        )
        (data / "pg_hba.conf").write_text(HBA)
        execute(started.url, "SELECT pg_reload_conf()")
    yield f"127.0.0.1:{port}"
    started.stop()


@contextmanager
def _answering(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """Provide a server on the loopback interface that reads one packet, and then answers. Returns its port."""

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, suppress(OSError):
                    client.recv(8)
                    answer(client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _fail(url: str) -> SQLAlchemyError:
    engine = create_engine(engine_url(url), poolclass=NullPool, connect_args=connect_args(url))
    with pytest.raises(SQLAlchemyError) as caught, engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM sqlite_master"))
    return caught.value


def _explain(url: str) -> str:
    sentence = explain(_fail(url))
    assert sentence is not None
    # Nothing but names of settings: no password, host, port, user or database.
    quoted = [part for part in (SECRET, "127.0.0.1", "alertcheck", "nobody", "postgresql:") if part in sentence]
    assert quoted == []
    assert (sentence.startswith("The database "), sentence.endswith(".")) == (True, True)
    return sentence


@pytest.mark.parametrize(
    ("credentials", "database", "part"),
    [
        ("alertcheck:wrong", "alertcheck", "refuses the user or the password of DATABASE_URL"),
        (f"nobody:{SECRET}", "alertcheck", "refuses the user or the password of DATABASE_URL"),
        ("alertcheck", "alertcheck", "asks for a password, and DATABASE_URL has none"),
        (f"sleeper:{SECRET}", "alertcheck", "has no user of the name in DATABASE_URL that may log in"),
        (f"limited:{SECRET}", "alertcheck", "has no free connection"),
        (f"alertcheck:{SECRET}", "missing", "has no database of the name in DATABASE_URL: create it"),
        (f"alertcheck:{SECRET}", "forbidden", "does not let the user of DATABASE_URL connect: grant CONNECT"),
        (f"alertcheck:{SECRET}", "closed", "add an entry to pg_hba.conf"),
        (f"alertcheck:{SECRET}", "tls_only", "add ?sslmode=require to DATABASE_URL"),
        (f"alertcheck:{SECRET}", "alertcheck?sslmode=require", "offers no TLS, which sslmode in DATABASE_URL requires"),
        (f"alertcheck:{SECRET}", "alertcheck?sslmode=banana", "does not accept an option of DATABASE_URL"),
        (f"alertcheck:{SECRET}", "alertcheck?ssl=true", "does not accept an option of DATABASE_URL"),
    ],
)
def test_a_refused_connection_is_explained(server: str, credentials: str, database: str, part: str) -> None:
    assert part in _explain(f"postgresql://{credentials}@{server}/{database}")


@pytest.mark.parametrize(
    ("host", "options", "part"),
    [
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "the file in sslrootcert of DATABASE_URL is"),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=system", "does not accept an option of DATABASE_URL"),
        ("localhost", "sslmode=verify-full&sslrootcert={wrong}", "is not signed by an authority that sslrootcert"),
        ("localhost", "sslmode=verify-full&sslrootcert={right}", "is for another host than the one in DATABASE_URL"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_explained(tmp_path: Path, host: str, options: str, part: str) -> None:
    right, wrong = trustme.CA(), trustme.CA()
    right.cert_pem.write_to_path(tmp_path / "right.pem")
    wrong.cert_pem.write_to_path(tmp_path / "wrong.pem")
    options = options.format(right=tmp_path / "right.pem", wrong=tmp_path / "wrong.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    right.issue_cert("other.example").configure_cert(context)

    def accept_tls(client: socket.socket) -> None:
        client.sendall(b"S")
        context.wrap_socket(client, server_side=True).close()

    with _answering(accept_tls) as port:
        assert part in _explain(f"postgresql://alertcheck:{SECRET}@{host}:{port}/alertcheck?{options}")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("postgresql://a:b@127.0.0.1:1/c", "does not listen at the host and port in DATABASE_URL"),
        ("postgresql://a:b@localhost:1/c", "does not listen at the host and port in DATABASE_URL"),
        ("postgresql://a:b@no-such-host.invalid/c", "host in DATABASE_URL is not known"),
        ("postgresql://a:b@127.0.0.1:99999/c", "does not accept an option of DATABASE_URL"),
        ("postgresql://a:b@/c?host=/nowhere", "does not listen on the Unix socket in DATABASE_URL"),
        ("sqlite:////nowhere/at/all.sqlite", "file in DATABASE_URL cannot be opened: create its folder"),
    ],
)
def test_a_server_that_is_not_there_is_explained(url: str, part: str) -> None:
    assert part in _explain(url)


def test_a_server_that_never_responds_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/c"

        assert "does not respond at the host and port in DATABASE_URL" in _explain(url)


def test_another_service_on_the_port_is_explained() -> None:
    with _answering(lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        sentence = _explain(f"postgresql://a:b@127.0.0.1:{port}/c")

    assert "port in DATABASE_URL is not that of PostgreSQL" in sentence


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database" * 100)

    assert "file in DATABASE_URL is not an SQLite database" in _explain(f"sqlite:///{tmp_path / 'notes.txt'}")


FAILED = 'connection failed: connection to server at "10.0.0.5", port 6432 failed: '


@pytest.mark.parametrize(
    ("message", "part"),
    [
        # PgBouncer 1.18 to 1.24
        ("FATAL:  no such database: alerts", "has no database of the name in DATABASE_URL"),
        ("FATAL:  no such user: zoe", "refuses the user or the password"),
        ("FATAL:  SASL authentication failed", "refuses the user or the password"),
        ("FATAL:  server login has been failing, cached error: x (server_login_retry)", "pooler at DATABASE_URL"),
        ("FATAL:  no more connections allowed (max_client_conn)", "has no free connection"),
        # PostgreSQL with lc_messages = 'de_DE.UTF-8'
        (
            "FATAL:  Passwort-Authentifizierung für Benutzer »zoe« fehlgeschlagen",
            "check the host, port, user, password",
        ),
        ("FATAL:  the database system is starting up", "is starting or stopping: wait a moment"),
        ("FATAL:  remaining connection slots are reserved for roles with SUPERUSER", "has no free connection"),
    ],
)
def test_what_poolers_and_other_servers_reply_is_explained(message: str, part: str) -> None:
    error = OperationalError(None, None, psycopg.OperationalError(FAILED + message))

    sentence = explain(error) or ""

    assert (part in sentence, "zoe" in sentence, "10.0.0.5" in sentence) == (True, False, False)


def test_of_several_addresses_the_one_that_says_most_is_explained() -> None:
    refused = FAILED + "Connection refused"
    denied = FAILED + 'FATAL:  password authentication failed for user "zoe"'
    error = OperationalError(None, None, psycopg.OperationalError(f"Multiple attempts:\n- {refused}\n- {denied}"))

    assert "refuses the user or the password" in (explain(error) or "")


def test_a_missing_right_is_explained(server: str) -> None:
    url = make_url(f"postgresql+psycopg://alertcheck:{SECRET}@{server}/alertcheck")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text("SELECT * FROM pg_authid"))

    assert "make that user the owner of the database and its tables" in (explain(caught.value) or "")


def test_a_mistake_of_this_program_is_not_explained(server: str) -> None:
    engine = create_engine(f"postgresql+psycopg://alertcheck:{SECRET}@{server}/alertcheck", poolclass=NullPool)
    with engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text("SELECT 1 / 0"))

    assert explain(caught.value) is None
