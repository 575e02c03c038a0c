"""The demo as `make run` starts it, with a port and data of its own, and how long it takes until a press would work."""

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

PATIENCE = 600.0
"""Seconds within which everything has to be installed and ready."""

NOT_PASSED_ON = ("DATABASE_URL", "REDIS_URL", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV")


class NeverReady(Exception):
    """It ended before it was ready; the text is the end of what it said."""


@dataclass(frozen=True)
class Demo:
    """process: the command that was started. origin: of its pages. data: its DATA_DIR.

    seconds: from the command to its Ready line.
    """

    process: Child
    origin: str
    data: Path
    seconds: float

    def receiver(self, place: str) -> str:
        """Return the receiver's address for `service/scenario`."""
        port = json.loads((self.data / "ports.json").read_text())["http"]
        return f"http://127.0.0.1:{port}/{place}"

    def signing_secret(self) -> str:
        """Return the secret that the receiver checks webhooks with."""
        return (self.data / "webhook-secret").read_text().strip()


@contextmanager
def running(command: Sequence[str], checkout: Path, data: Path, settings: Mapping[str, str]) -> Iterator[Demo]:
    """Have one that keeps its data in `data`. Raises `NeverReady`."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    environment |= {"PORT": str(port), "DATA_DIR": str(data), **settings}
    began = time.monotonic()
    screen = data.with_name(f"{data.name}-screen.log")
    process = start("demo", command, log=screen, environment=environment, directory=checkout)
    try:
        origin = f"http://127.0.0.1:{port}"
        _wait_for(process, f"Ready: {origin}", began + PATIENCE)
        yield Demo(process, origin, data, time.monotonic() - began)
    finally:
        process.stop(signal=SIGINT, grace_period=30)


def _wait_for(process: Child, line: str, deadline: float) -> None:
    while line not in process.output():
        if process.exit_code() is not None or time.monotonic() > deadline:
            raise NeverReady(process.describe_end())
        time.sleep(0.02)
