"""Starts and stops the demo for a browser, as `make run` does."""

import json
import os
import re
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

import psutil

from webapp.demo.supervisor.options import PROJECT
from webapp.demo.supervisor.ports import choose_ports
from webapp.demo.supervisor.processes import Child, start

# Time limit for starting and for stopping.
SECONDS = 90

PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR")  # without the settings of the user who runs the tests


@dataclass(frozen=True)
class RunningDemo:
    """A running demo. address: the origin of its pages. data: its DATA_DIR."""

    process: Child
    address: str
    data: Path

    def receiver(self, scenario: str) -> str:
        """Return the receiver's address for `service/scenario`."""
        port = json.loads((self.data / "ports.json").read_text())["http"]
        return f"http://127.0.0.1:{port}/{scenario}?sig=from-the-browser-tests"

    def signing_secret(self) -> str:
        """Return the secret that the receiver checks webhooks with."""
        return (self.data / "webhook-secret").read_text().strip()

    def fill_in(self, path: str) -> str:
        """Return a path of a page with a destination's id for each name in angle brackets. A reset changes the ids."""
        return re.sub("<(.+?)>", lambda found: str(self._find_destination(found[1])), path)

    def _find_destination(self, name: str) -> int:
        with closing(sqlite3.connect(self.data / "alertcheck.sqlite", timeout=SECONDS)) as database:
            query = "SELECT id FROM alert_destinations WHERE name = ? AND deleted_at IS NULL"
            ((found,),) = database.execute(query, (name,)).fetchall()
        return int(found)

    def stop(self) -> None:
        """Press Ctrl-C, and check that every process of the demo ends."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.stop(signal=SIGINT, grace_period=SECONDS)
        assert self.process.exit_code() == 0, self.process.describe_end()
        psutil.wait_procs(started, timeout=SECONDS)
        assert list(filter(_is_alive, started)) == []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def start_demo(directory: Path) -> RunningDemo:
    """Start a demo with its own data, and return when it is ready for a press."""
    port, data = choose_ports(directory / "port").http, directory / "data"
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment = given | {"PORT": str(port), "DATA_DIR": str(data)}
    command = [sys.executable, "-m", "webapp.demo"]
    process = start("demo", command, log=directory / "screen", environment=environment, directory=PROJECT)
    address = f"http://127.0.0.1:{port}"
    _wait_for_line(process, f"Ready: {address}")
    return RunningDemo(process, address, data)


def _wait_for_line(process: Child, line: str) -> None:
    deadline = time.monotonic() + SECONDS
    while line not in process.output():
        if process.exit_code() is not None or time.monotonic() > deadline:
            process.stop()
            raise AssertionError(process.describe_end())
        time.sleep(0.05)
