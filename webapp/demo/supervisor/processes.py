"""Starts child processes, each in its own session and with a log, and stops each with all its descendants."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import BinaryIO, Protocol

# Seconds that a child gets to end after the signal to stop.
GRACE_PERIOD = 5.0

# Bytes above which a log is rotated at the next start of its process.
LOG_LIMIT = 5_000_000

PARENT_DEATH_SIGNAL = Path(__file__).with_name("parent_death_signal.py")


def never() -> bool:
    """Return False: a stop that is never forced."""
    return False


class Process(Protocol):
    """A child process: a `Popen`, or what works like one."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


@dataclass(frozen=True)
class Child:
    """A process that we started, together with its descendants.

    log_start: the offset in its log at which this run begins, in bytes.
    """

    name: str
    log: Path
    log_start: int
    process: Process

    @property
    def pid(self) -> int:
        """The id of the process and of its session."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """Return the exit code (negative: the signal that ended it), or None while it runs."""
        return self.process.poll()

    def stop(
        self, *, signal: Signals = SIGTERM, grace_period: float = GRACE_PERIOD, is_forced: Callable[[], bool] = never
    ) -> None:
        """Send `signal`, wait for `grace_period` seconds or until `is_forced`, then kill whatever still runs."""
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses to signal a group of zombies
            os.killpg(self.pid, signal)
        deadline = time.monotonic() + grace_period
        while self.exit_code() is None and time.monotonic() < deadline and not is_forced():
            time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """Kill it and its descendants at once."""
        for pid in session_members(self.pid):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, SIGKILL)
        self.process.wait()

    def output(self) -> list[str]:
        """Return the lines that this run has written so far."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace").splitlines()

    def describe_end(self) -> str:
        """Describe how it ended, or that it does not respond, with the last ten lines of its output."""
        title = f"{self.name} {_describe_status(self.exit_code())}; last lines of {self.log}:"
        return "\n    ".join([title, *self.output()[-10:]])


def _describe_status(exit_code: int | None) -> str:
    if exit_code is None:
        return "does not respond"
    return f"ended (exit {exit_code})" if exit_code >= 0 else f"was ended by signal {-exit_code}"


def start(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    parent_death_signal: bool = True,
) -> Child:
    """Start a command and append its output to `log`.

    environment: all its variables; None for those of this process.
    directory: its working directory; None for that of this process.
    parent_death_signal: end it when this process is killed; False if `command` already arranges that.
    """
    with open_log(log) as output:
        log_start = output.tell()
        process = subprocess.Popen(
            with_parent_death_signal(command) if parent_death_signal else list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
    return Child(name, log, log_start, process)


def with_parent_death_signal(command: Sequence[str]) -> list[str]:
    """Return a command that runs `command` and, on Linux, ends it when this process ends."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", str(PARENT_DEATH_SIGNAL), str(os.getpid()), *command]


def session_members(session: int) -> list[int]:
    """Return the ids of the processes in a session, in any process group."""
    return [pid for pid in _process_ids() if _session_of(pid) == session]


def _process_ids() -> list[int]:
    proc = Path("/proc/self")
    if proc.exists():
        return [int(entry.name) for entry in proc.parent.iterdir() if entry.name.isdecimal()]
    listing = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=True)
    return [int(pid) for pid in listing.stdout.split()]


def _session_of(pid: int) -> int | None:
    with suppress(ProcessLookupError, PermissionError):
        return os.getsid(pid)
    return None


def open_log(log: Path) -> BinaryIO:
    """Open a log to append to it, and rotate it if it is too large."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))
    return log.open("ab")
