"""Web processes and workers that are forked from a process with the application imported, instead of started anew.

A test whose subject is the start itself uses `benchmarks.installation.processes`, which starts each one anew.
"""

import atexit
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock

from benchmarks.installation import installation, processes
from benchmarks.installation.processes import ROOT, Stack
from webapp.demo.supervisor.processes import Child


@dataclass
class ForkServer:
    """The process that forks the others; see `tests/fork_server.py`. It ends with this process, as its input does."""

    process: "subprocess.Popen[str]"
    lock: Lock = field(default_factory=Lock)

    def ask(self, **request: object) -> int | None:
        """Send a request and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self.lock:
            self.process.stdin.write(f"{json.dumps(request)}\n")
            self.process.stdin.flush()
            answer: int | None = json.loads(self.process.stdout.readline())
        return answer

    def end(self) -> None:
        """Let it end, by the end of its input, and wait for it."""
        self.process.communicate()


_starting = Lock()


def fork_server() -> ForkServer:
    """Start the server of this process, or return it. Threads that ask at once get the same one."""
    with _starting:
        return _start_server()


@cache
def _start_server() -> ForkServer:
    command = [sys.executable, "-u", "-m", "tests.fork_server"]
    server = ForkServer(
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )
    )
    atexit.register(server.end)
    return server


@dataclass
class ForkedProcess:
    """A process that the server has forked, in place of a `Popen`. As there, it stays a zombie until it is polled."""

    pid: int
    returncode: int | None = None
    lock: Lock = field(default_factory=Lock)

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        with self.lock:  # the server knows the code once
            if self.returncode is None:
                self.returncode = fork_server().ask(pid=self.pid)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code. Raises `subprocess.TimeoutExpired`."""
        give_up_at = time.monotonic() + timeout if timeout is not None else float("inf")
        while (code := self.poll()) is None:
            if time.monotonic() > give_up_at:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(0.01)
        return code


def start_fork(name: str, command: list[str], *, log: Path, environment: Mapping[str, str]) -> Child:
    """Run a module (the first word of `command`) in a fork, in a session of its own, and append its output to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    log_start = log.stat().st_size
    pid = fork_server().ask(command=command, environment=dict(environment), log=str(log))
    assert pid is not None
    return Child(name, log, log_start, ForkedProcess(pid))


class ForkedStack(Stack):
    """The processes of one installation, forked."""

    def _start(self, name: str, command: list[str]) -> Child:
        if self.prefix:  # words before the command, which only a new process can run
            return super()._start(name, command)
        log = self.logs / f"{name}.log"
        child = start_fork(name, command, log=log, environment=os.environ | self.environment)
        self.children.append(child)
        return child


def run_processes(
    environment: dict[str, str], logs: Path, wsgi: str = "wsgi", prefix: tuple[str, ...] = ()
) -> AbstractContextManager[Stack]:
    """Provide a stack, and stop its processes at the end."""
    return processes.run_processes(environment, logs, wsgi, prefix, ForkedStack)


def installed(
    database_url: str, directory: Path, wsgi: str = "wsgi", **settings: str
) -> AbstractContextManager[installation.Installation]:
    """Set up an installation, as `benchmarks.installation.installation.installed` does."""
    return installation.set_up(database_url, directory, wsgi, settings, ForkedStack)
