"""Child processes: they stop completely, and their logs are bounded."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from webapp.demo.supervisor.processes import LOG_LIMIT, Child, session_members, start

SECONDS = 40  # less than the processes sleep

IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)
WITH_A_CHILD_IN_ANOTHER_GROUP = """
import os, time
if os.fork() == 0:
    os.setpgrp()
    print("up", flush=True)
time.sleep(60)
"""
STARTS_A_CHILD_AND_SLEEPS = """
import sys, time
from pathlib import Path
from webapp.demo.supervisor.processes import start
print(start("sleeper", ["sleep", "60"], log=Path(sys.argv[1])).pid, flush=True)
time.sleep(60)
"""


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def start_python(code: str, log: Path) -> Child:
    child = start("child", [sys.executable, "-c", code], log=log)
    assert wait_until(lambda: "up" in child.output())
    return child


def has_ended(pid: int) -> bool:
    """Return whether a process is gone, or is a zombie that init has not reaped yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_child_that_handles_the_signal_stops_at_once(tmp_path: Path) -> None:
    child = start("sleeper", ["sleep", "60"], log=tmp_path / "log")
    began = time.monotonic()
    child.stop(grace_period=SECONDS)
    assert child.exit_code() == -signal.SIGTERM
    assert time.monotonic() - began < SECONDS / 2


def test_a_child_that_ignores_the_signal_is_killed_after_the_time_limit(tmp_path: Path) -> None:
    child = start_python(IGNORES_SIGTERM, tmp_path / "log")
    child.stop(grace_period=0.2)
    assert child.exit_code() == -signal.SIGKILL


def test_a_second_shutdown_request_ends_the_wait(tmp_path: Path) -> None:
    child = start_python(IGNORES_SIGTERM, tmp_path / "log")
    began = time.monotonic()
    child.stop(grace_period=SECONDS, is_forced=lambda: True)
    assert child.exit_code() == -signal.SIGKILL
    assert time.monotonic() - began < SECONDS / 2


def test_processes_in_another_group_end_with_the_child_that_started_them(tmp_path: Path) -> None:
    child = start_python(WITH_A_CHILD_IN_ANOTHER_GROUP, tmp_path / "log")
    members = session_members(child.pid)
    child.stop()
    assert len(members) == 2
    assert wait_until(lambda: all(map(has_ended, members)))


def test_processes_left_by_a_dead_child_are_killed(tmp_path: Path) -> None:
    child = start_python(WITH_A_CHILD_IN_ANOTHER_GROUP, tmp_path / "log")
    members = session_members(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    assert wait_until(lambda: child.exit_code() is not None)
    child.kill()
    assert wait_until(lambda: all(map(has_ended, members)))


def test_stopping_twice_does_no_harm(tmp_path: Path) -> None:
    child = start("sleeper", ["sleep", "60"], log=tmp_path / "log")
    child.stop()
    child.stop()
    assert child.exit_code() == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS_A_CHILD_AND_SLEEPS, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        parent.kill()
    assert wait_until(lambda: has_ended(grandchild))


def test_a_missing_command_ends_with_a_sentence(tmp_path: Path) -> None:
    child = start("ghost", ["no-such-command-anywhere"], log=tmp_path / "log")
    assert wait_until(lambda: child.exit_code() == 1)
    assert child.output() == ["Cannot start no-such-command-anywhere: No such file or directory"]


def test_the_description_of_an_end_shows_the_last_lines_of_this_run_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("yesterday\n")
    child = start("worker", ["sh", "-c", "seq 1 12; exit 3"], log=log)
    assert wait_until(lambda: child.exit_code() == 3)
    first, *lines = child.describe_end().splitlines()
    assert first == f"worker ended (exit 3); last lines of {log}:"
    assert lines == [f"    {number}" for number in range(3, 13)]


def test_the_description_of_a_killed_child_names_the_signal(tmp_path: Path) -> None:
    child = start("worker", ["sleep", "60"], log=tmp_path / "log")
    child.kill()
    assert child.describe_end() == f"worker was ended by signal 9; last lines of {tmp_path / 'log'}:"


def test_an_oversized_log_is_rotated(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * (LOG_LIMIT + 1))
    start("short", ["true"], log=log).stop()
    assert log.read_bytes() == b""
    assert (tmp_path / "log.1").stat().st_size == LOG_LIMIT + 1


def test_a_log_within_the_limit_is_continued(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * LOG_LIMIT)
    start("short", ["true"], log=log).stop()
    assert log.stat().st_size == LOG_LIMIT
