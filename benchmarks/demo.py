"""Starts the demo as `make run` does, with its own port and data, and measures the time until it is ready."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from benchmarks.installation.processes import free_port
from webapp.demo.supervisor.processes import Child, start

# Seconds within which the packages must be installed and the demo ready.
TIME_LIMIT = 600.0

EXCLUDED_VARIABLES = ("DATABASE_URL", "REDIS_URL", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV")


class NeverReady(Exception):
    """The demo did not become ready. The text contains the last lines of its output."""


@dataclass(frozen=True)
class Demo:
    """A running demo. process: the started command. origin: that of its pages. data: its DATA_DIR.

    seconds: from the start of the command to its Ready line.
    """

    process: Child
    origin: str
    data: Path
    seconds: float

    def receiver_url(self, path: str) -> str:
        """Return the URL of the demo receiver with this path, `service/scenario`."""
        port = json.loads((self.data / "ports.json").read_text())["http"]
        return f"http://127.0.0.1:{port}/{path}"

    def signing_secret(self) -> str:
        """Return the secret with which the receiver checks signatures."""
        return (self.data / "webhook-secret").read_text().strip()


@contextmanager
def running(command: Sequence[str], checkout: Path, data: Path, settings: Mapping[str, str]) -> Iterator[Demo]:
    """Run a demo that keeps its data in `data`. Raises `NeverReady`."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in EXCLUDED_VARIABLES}
    environment |= {"PORT": str(port), "DATA_DIR": str(data), **settings}
    started = time.monotonic()
    screen = data.with_name(f"{data.name}-screen.log")
    process = start("demo", command, log=screen, environment=environment, directory=checkout)
    try:
        origin = f"http://127.0.0.1:{port}"
        _wait_for(process, f"Ready: {origin}", started + TIME_LIMIT)
        yield Demo(process, origin, data, time.monotonic() - started)
    finally:
        process.stop(signal=SIGINT, grace_period=30)


def _wait_for(process: Child, line: str, deadline: float) -> None:
    while line not in process.output():
        if process.exit_code() is not None or time.monotonic() > deadline:
            raise NeverReady(process.describe_end())
        time.sleep(0.02)
