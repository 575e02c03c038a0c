"""Child processes that leave nothing behind: each in a session of its own, with a log, ended as a whole."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

PATIENCE = 5.0
"""Seconds a child gets to end by itself once it is told to."""

LOG_LIMIT = 5_000_000
"""Bytes after which a log is put aside when its process starts next."""

PARENT_DEATH_SIGNAL = Path(__file__).with_name("parent_death_signal.py")


def never() -> bool:
    """Say that there is no hurry."""
    return False


@dataclass(frozen=True)
class Child:
    """A process we started, together with everything it starts itself.

    log_start: where in its log this run begins, in bytes.
    """

    name: str
    log: Path
    log_start: int
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """The process' id, which is also the id of its session."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """Return how it ended (negative: by that signal), or None while it runs."""
        return self.process.poll()

    def stop(self, *, signal: Signals = SIGTERM, patience: float = PATIENCE, hurry: Callable[[], bool] = never) -> None:
        """Ask it to end, wait for `patience` seconds or until there is a `hurry`, then kill what is left."""
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses for a group of zombies
            os.killpg(self.pid, signal)
        deadline = time.monotonic() + patience
        while self.exit_code() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """End it and its descendants at once."""
        for pid in session_members(self.pid):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, SIGKILL)
        self.process.wait()

    def output(self) -> list[str]:
        """Return the lines that it has written so far."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace").splitlines()

    def describe_end(self) -> str:
        """Say that it ended, or hangs, and show the last lines that it wrote."""
        title = f"{self.name} {_ending(self.exit_code())}; the end of {self.log}:"
        return "\n    ".join([title, *self.output()[-10:]])


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return "does not answer"
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
    """Start a command whose output is added to `log`.

    environment: all the variables it gets; None for ours.
    directory: where it works; None for where we do.
    parent_death_signal: end it when we are killed; False if the command puts the leash on itself.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    _put_aside(log)
    with log.open("ab") as output:
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
    """Return the command that runs `command` and, on Linux, ends it when this process is gone."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", str(PARENT_DEATH_SIGNAL), str(os.getpid()), *command]


def session_members(session: int) -> list[int]:
    """Return the ids of the processes in a session, whatever group they have moved to."""
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


def _put_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))
