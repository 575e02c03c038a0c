"""Reads PORT, DATA_DIR and DEMO_URL, and checks them before the demo starts anything."""

import fcntl
import os
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parents[3]
DEFAULT_PORT = 8000


class CannotRun(Exception):
    """The demo cannot run. The text explains why to the person at the terminal."""


@dataclass(frozen=True)
class DemoOptions:
    """port: where the pages are served. data: the directory for everything that the demo keeps.

    public_url: where visitors from the internet open the pages, through a proxy; None if only this machine can.
    """

    port: int
    data: Path
    public_url: str | None = None

    @property
    def address(self) -> str:
        """The address to open in a browser."""
        return self.public_url or f"http://127.0.0.1:{self.port}"


def read_options(environment: Mapping[str, str]) -> DemoOptions:
    """Read PORT, DATA_DIR and DEMO_URL, which the application checks. Raises `CannotRun`."""
    return DemoOptions(
        _read_port(environment.get("PORT") or str(DEFAULT_PORT)),
        _read_data(environment.get("DATA_DIR")),
        environment.get("DEMO_URL", "").strip() or None,
    )


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise CannotRun(f"PORT is {text!r}, but it must be a number from 1 to 65535.")
    return int(text)


def _read_data(text: str | None) -> Path:
    data = Path(text).expanduser().resolve() if text else PROJECT / "data"
    if "?" in str(data):  # it would start the query of the database URL
        raise CannotRun(f"DATA_DIR is {data}, but it must not contain a question mark.")
    return data


def claim_data(options: DemoOptions) -> IO[str]:
    """Create the data directory and lock it until the returned file is closed. Raises `CannotRun`."""
    try:
        options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (options.data / "lock").open("a")
    except OSError as error:
        raise CannotRun(f"DATA_DIR {options.data} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise CannotRun(f"Another demo is using {options.data}. Stop it, or set DATA_DIR for this one.") from error
    os.register_at_fork(after_in_child=lock.close)  # or else it would stay locked until the last child has ended
    return lock


def check_port(port: int) -> None:
    """Raise `CannotRun` if the pages cannot be served on this port."""
    try:
        open_socket(port).close()
    except PermissionError as error:
        raise CannotRun(f"You do not have permission to use port {port}. Try: PORT={DEFAULT_PORT} make run") from error
    except OSError as error:
        other = DEFAULT_PORT + 1 if port == DEFAULT_PORT else DEFAULT_PORT
        raise CannotRun(f"Port {port} is in use by another program. Try: PORT={other} make run") from error


def open_socket(port: int) -> socket.socket:
    """Return a listening socket on a loopback port. Raises `OSError` if the port is not available."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable by its owner only."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def write_env_file(path: Path, address: str, variables: Mapping[str, str]) -> None:
    """Write variables to a file that a shell can source: `set -a; . ./data/env; set +a`."""
    title = f"# The settings of the demo at {address}. Each start of the demo overwrites this file."
    lines = [title, *(f"{name}={shlex.quote(value)}" for name, value in sorted(variables.items()))]
    write_private(path, "\n".join(lines) + "\n")
