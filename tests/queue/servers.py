"""Queue servers on TCP for tests: the embedded Valkey, a Redis of the system by its path, and scripted ones."""

import os
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from benchmarks.installation.processes import free_port, wait_until
from tests.outbound.certificates import Issued
from webapp.demo.supervisor.processes import start
from webapp.demo.supervisor.queue_server import find_queue_server

# Only the tests that name it run on it: everything else runs on the embedded Valkey, whatever is installed.
REDIS = Path(os.environ.get("ALERTCHECK_REDIS_SERVER") or "/usr/bin/redis-server")


def find_binary(kind: str) -> list[str]:
    """Return the command of a server. kind: valkey or redis. Skips the test if there is no Redis."""
    if kind == "valkey":
        return find_queue_server()
    if not REDIS.exists():
        pytest.skip(f"no {REDIS}: install Debian's redis-server, or set ALERTCHECK_REDIS_SERVER to another one")
    return [str(REDIS)]


@dataclass
class TcpServer:
    """A running server. admin: a client whose connection stays open. directory: where it would save its data."""

    port: int
    directory: Path
    admin: Redis = field(repr=False)

    def run(self, command: str) -> None:
        """Run a command of words without spaces; '' is an empty one."""
        words = (word.strip("'") for word in command.split(" "))
        self.admin.execute_command(*words)  # type: ignore[no-untyped-call]

    def url(self, credentials: str = "", database: str = "", scheme: str = "redis") -> str:
        return f"{scheme}://{credentials}127.0.0.1:{self.port}{database}"


@contextmanager
def running(kind: str, home: Path, *options: str, tls: bool = False) -> Iterator[TcpServer]:
    """Run a server inside a `with`. options: of its command line. tls: whether it listens with TLS only."""
    port, base = free_port(), home / os.urandom(4).hex()
    directory = base / "data"
    directory.mkdir(parents=True)
    (base / "server.conf").touch()
    command = [*find_binary(kind), str(base / "server.conf"), "--bind", "127.0.0.1", "--save", ""]
    command += ["--dir", str(directory), "--unixsocket", str(base / "s")]
    command += ["--port", "0", "--tls-port", str(port)] if tls else ["--port", str(port)]
    if "--cluster-enabled" in options:  # by default 10,000 above, where any client's connection may have a port
        command += ["--cluster-port", str(free_port())]
    process = start("queue server", [*command, *options], log=base / "server.log")
    admin = Redis(unix_socket_path=str(base / "s"), max_connections=1)
    try:
        wait_until(lambda: _responds(admin))
        yield TcpServer(port, directory, admin)
    finally:
        admin.close()
        process.stop()
        shutil.rmtree(base, ignore_errors=True)


def _responds(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except AuthenticationError:
        return True
    except RedisError:
        return False


def tls_options(home: Path, own: Issued, authority: Issued) -> list[str]:
    """Return the options with which Redis uses a certificate. It requires one of its clients, unless told otherwise."""
    files = {"cert-file": own.pem, "key-file": own.key_pem, "ca-cert-file": authority.pem}
    for name, content in files.items():
        (home / name).write_bytes(content)
    return [part for name in files for part in (f"--tls-{name}", str(home / name))]


@contextmanager
def scripted(*replies: bytes, greets: bool = False) -> Iterator[int]:
    """Run a server that sends one of the replies to each request, the last one forever. Yields its port.

    greets: it sends the first before any request. Without replies, it never sends anything.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, replies, greets), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, replies: tuple[bytes, ...], greets: bool) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=_reply, args=(listener.accept()[0], replies, greets), daemon=True).start()


def _reply(connection: socket.socket, replies: tuple[bytes, ...], greets: bool) -> None:
    left = list(replies)
    with closing(connection), suppress(OSError):
        while greets or connection.recv(65536):
            greets = False
            reply = left.pop(0) if len(left) > 1 else (left or [b""])[0]
            if reply == CLOSE:
                return
            connection.sendall(reply)


@contextmanager
def answering(replies: Mapping[bytes, bytes]) -> Iterator[int]:
    """Run a server that knows these commands only, as an old one. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept_commands, args=(listener, replies), daemon=True).start()
        yield listener.getsockname()[1]


def _accept_commands(listener: socket.socket, replies: Mapping[bytes, bytes]) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=_answer, args=(listener.accept()[0], replies), daemon=True).start()


def _answer(connection: socket.socket, replies: Mapping[bytes, bytes]) -> None:
    with closing(connection), suppress(OSError):
        while request := connection.recv(65536):
            known = (reply for command, reply in replies.items() if command in request)
            connection.sendall(next(known, b"-ERR unknown command\r\n"))


# A reply that closes the connection instead.
CLOSE = b"close"


@contextmanager
def with_tls(context: ssl.SSLContext, port: int) -> Iterator[int]:
    """Run a relay that takes TLS off before a server, as stunnel does. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept_tls, args=(listener, context, port), daemon=True).start()
        yield listener.getsockname()[1]


def _accept_tls(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=_relay, args=(listener.accept()[0], context, port), daemon=True).start()


def _relay(connection: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with ExitStack() as stack:
        stack.enter_context(suppress(OSError))
        stack.enter_context(connection)
        client = stack.enter_context(context.wrap_socket(connection, server_side=True))
        server = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()
        _copy(client, server)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
