"""What the person at the terminal may choose (PORT, DATA_DIR), checked before anything starts."""

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
    """What keeps the demo from running, as a sentence for the person at the terminal."""


@dataclass(frozen=True)
class DemoOptions:
    """Where the pages are served, and where everything that is kept lies."""

    port: int
    data: Path

    @property
    def address(self) -> str:
        """What to type into a browser."""
        return f"http://127.0.0.1:{self.port}"


def read_options(environment: Mapping[str, str]) -> DemoOptions:
    """Read PORT and DATA_DIR, or raise `CannotRun`."""
    return DemoOptions(
        _read_port(environment.get("PORT") or str(DEFAULT_PORT)), _read_data(environment.get("DATA_DIR"))
    )


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise CannotRun(f"PORT is {text!r}; it has to be a number from 1 to 65535.")
    return int(text)


def _read_data(text: str | None) -> Path:
    data = Path(text).expanduser().resolve() if text else PROJECT / "data"
    if "?" in str(data):  # it would begin the query of the database's URL
        raise CannotRun(f"DATA_DIR is {data}; a question mark cannot be part of it.")
    return data


def claim_data(options: DemoOptions) -> IO[str]:
    """Make the data directory and lock it for as long as the returned file is open, or raise `CannotRun`."""
    try:
        options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (options.data / "lock").open("a")
    except OSError as error:
        raise CannotRun(f"DATA_DIR {options.data} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise CannotRun(f"Another run is using {options.data}. Stop it, or give this one its own DATA_DIR.") from error
    return lock


def check_port(port: int) -> None:
    """Raise `CannotRun` if the pages cannot be served on this port."""
    try:
        open_socket(port).close()
    except PermissionError as error:
        raise CannotRun(f"Port {port} needs more rights than we have. Try: PORT={DEFAULT_PORT} make run") from error
    except OSError as error:
        other = DEFAULT_PORT + 1 if port == DEFAULT_PORT else DEFAULT_PORT
        raise CannotRun(f"Port {port} is busy: something else is using it. Try: PORT={other} make run") from error


def open_socket(port: int) -> socket.socket:
    """Return a listening socket on a loopback port; raise `OSError` if there is none to be had."""
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
    """Write a file that its owner alone can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def write_env_file(path: Path, address: str, variables: Mapping[str, str]) -> None:
    """Write variables for a shell to read: `set -a; . ./data/env; set +a`."""
    title = f"# The settings of the demo at {address}. Every start of the demo writes them again."
    lines = [title, *(f"{name}={shlex.quote(value)}" for name, value in sorted(variables.items()))]
    write_private(path, "\n".join(lines) + "\n")
