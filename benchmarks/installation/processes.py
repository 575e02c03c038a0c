"""Starts real web processes and workers for a test or benchmark, and stops them when it ends."""

import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from webapp.demo.supervisor.ports import CANDIDATES, is_free
from webapp.demo.supervisor.processes import Child, session_members, start, with_parent_death_signal

ROOT = Path(__file__).parents[2]
# Seconds that `wait_until` waits by default. A busy machine needs more than 60 to start a web process.
TIME_LIMIT = 120.0

# Seconds from the start of a worker until lost deliveries have ended: it watches a row for 20 s before it ends it. A
# busy machine needs long to start it.
ENDS_WITHIN = 20.0 + TIME_LIMIT


def wait_until(is_true: Callable[[], object], time_limit: float = TIME_LIMIT) -> None:
    """Wait until a condition is true. Raises `AssertionError` after `time_limit` seconds.

    The longer it takes, the longer are the pauses: to look costs processor time, often that of another process too.
    """
    started = time.monotonic()
    while not is_true():
        waited = time.monotonic() - started
        assert waited < time_limit, "the condition did not become true in time"
        time.sleep(min(0.05 + waited / 20, 0.3))


def free_port() -> int:
    """Return a free port. It is chosen at random, because other tests may look for one at the same time."""
    return next(port for port in random.sample(CANDIDATES, 50) if is_free(port))


@dataclass
class Stack:
    """The processes of one installation.

    environment: its settings. wsgi: the module with the application. prefix: the words before each command.
    """

    environment: dict[str, str]
    logs: Path
    wsgi: str = "wsgi"
    prefix: tuple[str, ...] = ()
    children: list[Child] = field(default_factory=list)

    def start_web(self, threads: int = 12, host: str = "127.0.0.1", port: int | None = None) -> "Session":
        """Start one more web process and return a session with it. host: an IP address to listen on."""
        port = port or free_port()
        command = [
            "gunicorn",
            f"{self.wsgi}:app",
            "--bind",
            f"{host}:{port}",
            "--threads",
            str(threads),
        ]
        self._start(f"web-{port}", command)
        session = Session(f"http://{host.replace('[::]', '[::1]')}:{port}")
        wait_until(session.is_up)
        return session

    def start_worker(self, processes: int = 2, *, single: bool = False) -> Child:
        """Start a worker without waiting for its first heartbeat. single: everything in one process."""
        name = f"worker-{len(self.children)}"  # several can run at once
        options = ["--single"] if single else ["--processes", str(processes)]
        return self._start(name, ["flask", "--app", self.wsgi, "worker", *options])

    def stop(self) -> None:
        """Stop all processes."""
        for child in self.children:
            child.stop(grace_period=12)

    def _start(self, name: str, command: list[str]) -> Child:
        environment = os.environ | self.environment | {"PYTHONUNBUFFERED": "1"}
        command = [*self.prefix, *with_parent_death_signal([sys.executable, "-m", *command])]
        log = self.logs / f"{name}.log"
        child = start(name, command, log=log, environment=environment, directory=ROOT, parent_death_signal=False)
        self.children.append(child)
        return child


@dataclass
class Session:
    """A visitor's session over real HTTP."""

    origin: str
    http: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def is_up(self) -> bool:
        try:
            return self.http.get(f"{self.origin}/healthz", timeout=2).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    def sign_in(self, email: str, password: str) -> "Session":
        self.get("/sign-in")
        response = self.post("/sign-in", {"email": email, "password": password})
        assert "/sign-in" not in response.url, "the sign-in was refused"
        self._keep_token(response)
        return self

    def get(self, path: str) -> requests.Response:
        response = self.http.get(self.origin + path, timeout=TIME_LIMIT)
        self._keep_token(response)
        return response

    def post(self, path: str, data: dict[str, str] | None = None) -> requests.Response:
        headers = {"X-CSRFToken": self.token, "HX-Request": "true"} if data is None else {"X-CSRFToken": self.token}
        return self.http.post(self.origin + path, data=data or {}, headers=headers, timeout=TIME_LIMIT)

    def with_origin(self, origin: str) -> "Session":
        """Return a copy of this session for another web process of the installation."""
        other = Session(origin, token=self.token)
        other.http.cookies.update(self.http.cookies)
        return other

    def _keep_token(self, response: requests.Response) -> None:
        found = re.search(r'"X-CSRFToken": "([^"]+)"', response.text)
        self.token = found[1] if found else self.token


@contextmanager
def run_processes(
    environment: dict[str, str],
    logs: Path,
    wsgi: str = "wsgi",
    prefix: tuple[str, ...] = (),
    stack_type: type[Stack] = Stack,
) -> Iterator[Stack]:
    """Provide a stack, and stop its processes at the end."""
    stack = stack_type(environment, logs, wsgi, prefix)
    try:
        yield stack
    finally:
        stack.stop()
        # Killed processes need a moment to disappear.
        wait_until(lambda: not any(session_members(child.pid) for child in stack.children))
