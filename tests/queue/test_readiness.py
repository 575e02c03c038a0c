"""Each reason why a queue server cannot be used has its own sentence, with real servers: Valkey and Redis."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from benchmarks.installation.processes import wait_until
from tests.queue.conftest import Look
from tests.queue.servers import CLOSE, TcpServer, answering, running, scripted
from tests.queue_keys import PREFIX
from webapp.queue import QueueOutage

KINDS = ["valkey", "redis"]

# What docs/deploy.md gives a user, with the prefix of the tests.
RIGHTS = f"~{PREFIX}:* &{PREFIX}:* +@all -@dangerous +info"

RESET = (
    "CONFIG SET requirepass ''",
    "CONFIG SET maxmemory 0",
    "CONFIG SET maxclients 1000",
    "CONFIG SET min-replicas-to-write 0",
    "REPLICAOF NO ONE",
    "ACL DELUSER ann",
)

# An outage, the command that causes it, and the credentials and database of the URL.
SITUATIONS = [
    ("AUTH_REFUSED", "CONFIG SET requirepass right", ":wrong@", ""),
    ("AUTH_REFUSED", "CONFIG SET requirepass right", "default:wrong@", "/0"),
    ("AUTH_MISSING", "CONFIG SET requirepass right", "", ""),
    ("USER_REFUSED", "CONFIG SET requirepass right", "ann:right@", ""),
    ("USER_REFUSED", "ACL SETUSER ann off >right ~* &* +@all", "ann:right@", ""),
    ("USER_REFUSED", f"ACL SETUSER ann on >right {RIGHTS}", "ann:wrong@", ""),
    ("NO_RIGHTS", "ACL SETUSER ann on >right ~other:* &* +@all", "ann:right@", ""),
    ("NO_RIGHTS", f"ACL SETUSER ann on >right {RIGHTS} resetchannels", "ann:right@", ""),
    ("NO_RIGHTS", f"ACL SETUSER ann on >right {RIGHTS} -info", "ann:right@", ""),
    ("NO_RIGHTS", f"ACL SETUSER ann on >right {RIGHTS} -@scripting", "ann:right@", ""),
    ("NO_RIGHTS", f"ACL SETUSER ann on >right {RIGHTS} -select", "ann:right@", "/1"),
    ("WRONG_DATABASE", "PING", "", "/16"),
    ("WRONG_DATABASE", "CONFIG SET requirepass right", ":right@", "/99"),
    ("WRONG_DATABASE", "PING", "", "?db=99"),
    ("FULL", "CONFIG SET maxmemory 1", "", ""),
    ("READ_ONLY", "REPLICAOF 127.0.0.1 1", "", ""),
    ("NO_REPLICAS", "CONFIG SET min-replicas-to-write 1", "", ""),
    ("TOO_MANY_CLIENTS", "CONFIG SET maxclients 1", "", ""),
    ("NOT_TLS", "PING", "tls", ""),
    ("NOT_TLS", "CONFIG SET requirepass right", "tls", ""),
]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, home: Path) -> Iterator[TcpServer]:
    with running(request.param, home) as server:
        yield server


@pytest.fixture
def changed(server: TcpServer) -> Iterator[TcpServer]:
    """A server that is as before after the test."""
    yield server
    for command in RESET:
        server.run(command)


@pytest.mark.parametrize(("outage", "command", "credentials", "database"), SITUATIONS)
def test_a_refusal_has_its_own_sentence(
    look: Look, changed: TcpServer, outage: str, command: str, credentials: str, database: str
) -> None:
    changed.run(command)
    own = changed.url(database=database, scheme="rediss") if credentials == "tls" else None

    assert look(own or changed.url(credentials, database)) is QueueOutage[outage]


@pytest.mark.parametrize("credentials", ["", "ann:right@"])
def test_a_server_that_can_be_used_has_no_outage(look: Look, changed: TcpServer, credentials: str) -> None:
    changed.run(f"ACL SETUSER ann on >right {RIGHTS}")

    assert look(changed.url(credentials, "/15")) is None


def test_a_password_that_the_server_does_not_need_is_no_problem(look: Look, server: TcpServer) -> None:
    assert look(server.url(":needless@")) is None


def test_a_look_leaves_only_keys_that_begin_with_the_prefix_and_expire(look: Look, server: TcpServer) -> None:
    server.admin.flushall()
    look(server.url())

    keys = [key.decode() for key in server.admin.scan_iter()]
    assert keys
    assert [key for key in keys if not key.startswith(f"{PREFIX}:") or server.admin.ttl(key) < 1] == []


def test_a_server_that_cannot_save_has_its_own_sentence(look: Look, server: TcpServer) -> None:
    server.admin.config_set("save", "1000 1")
    shutil.rmtree(server.directory)
    server.admin.bgsave()
    wait_until(lambda: server.admin.info("persistence")["rdb_last_bgsave_status"] == "err")

    found = look(server.url())

    server.directory.mkdir()
    server.admin.config_set("save", "")
    assert found is QueueOutage.CANNOT_SAVE


def test_a_replica_that_lost_its_primary_has_its_own_sentence(look: Look, changed: TcpServer) -> None:
    changed.admin.config_set("replica-serve-stale-data", "no")
    changed.admin.config_set("replica-read-only", "no")
    changed.run("REPLICAOF 127.0.0.1 1")

    found = look(changed.url())

    changed.admin.config_set("replica-serve-stale-data", "yes")
    changed.admin.config_set("replica-read-only", "yes")
    assert found is QueueOutage.NO_PRIMARY


def test_a_server_that_runs_a_long_script_has_its_own_sentence(look: Look, server: TcpServer) -> None:
    server.admin.config_set("busy-reply-threshold", 1)
    other = server.admin.connection_pool.connection_class(**server.admin.connection_pool.connection_kwargs)
    other.connect()
    other.send_command("EVAL", "while true do end", 0)
    wait_until(lambda: look(server.url()) is QueueOutage.BUSY)

    server.admin.script_kill()
    with pytest.raises(ResponseError):
        other.read_response()
    other.disconnect()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("database", ["", "/1", "/99"])
@pytest.mark.parametrize("slots", ["", "0 16383", "0 8000"])
def test_a_server_in_cluster_mode_is_refused_whatever_slots_it_has(
    look: Look, home: Path, kind: str, database: str, slots: str
) -> None:
    with running(kind, home, "--cluster-enabled", "yes") as server:
        server.run(f"CLUSTER ADDSLOTSRANGE {slots}" if slots else "PING")

        assert look(server.url(database=database)) is QueueOutage.CLUSTER


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("database", ["", "/1"])
def test_a_sentinel_is_told_from_a_server(look: Look, home: Path, kind: str, database: str) -> None:
    with running(kind, home, "--sentinel") as server:
        assert look(server.url(database=database)) is QueueOutage.SENTINEL


@pytest.mark.parametrize(
    ("url", "outage"),
    [
        ("redis://127.0.0.1:1", "REFUSED"),
        ("rediss://127.0.0.1:1", "REFUSED"),
        ("redis://nosuch.invalid", "UNKNOWN_HOST"),
        ("rediss://:pw@nosuch.invalid:6380/1", "UNKNOWN_HOST"),
        ("unix:///nowhere/queue.sock", "NO_SOCKET"),
        ("unix:///nowhere/queue.sock?db=3", "NO_SOCKET"),
    ],
)
def test_a_server_that_cannot_be_reached_has_its_own_sentence(look: Look, url: str, outage: str) -> None:
    assert look(url) is QueueOutage[outage]


@pytest.mark.parametrize(
    ("replies", "outage"),
    [
        ([], "TIMEOUT"),
        ([CLOSE], "CLOSED"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "NOT_REDIS"),
        ([b"-DENIED Redis is running in protected mode because ...\r\n"], "PROTECTED"),
        ([b"-LOADING Redis is loading the dataset in memory\r\n"], "LOADING"),
        ([b"-ERR unknown command\r\n"], "OTHER"),
        ([b"-ERR AUTH <password> called without any password configured for the default user.\r\n"], "OTHER"),
        ([b"-MOVED 3999 127.0.0.1:6381\r\n"], "CLUSTER"),
        ([b"-CLUSTERDOWN Hash slot not served\r\n"], "CLUSTER"),
    ],
)
def test_a_server_that_answers_otherwise_has_its_own_sentence(look: Look, replies: list[bytes], outage: str) -> None:
    with scripted(*replies) as port:
        assert look(f"redis://127.0.0.1:{port}") is QueueOutage[outage]


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail.example ESMTP\r\n"])
def test_another_service_is_told_from_redis(look: Look, greeting: bytes) -> None:
    with scripted(greeting, b"500 unknown\r\n", greets=True) as port:
        assert look(f"redis://127.0.0.1:{port}") is QueueOutage.NOT_REDIS


@pytest.mark.parametrize(("version", "outage"), [("5.0.14", "TOO_OLD"), ("6.0.16", "TOO_OLD"), ("6.2.0", "OTHER")])
def test_a_server_that_is_too_old_is_told_by_its_version(look: Look, version: str, outage: str) -> None:
    server = f"# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\n".encode()
    info = b"$%d\r\n%s\r\n" % (len(server), server)
    with answering({b"INFO": info}) as port:
        assert look(f"redis://127.0.0.1:{port}") is QueueOutage[outage]
