"""The product as it runs: web processes and a worker, started for one test and ended with it."""

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
PATIENCE = 20.0
"""Seconds within which what a test waits for has to come true."""
ENDS_WITHIN = 30.0
"""Seconds from a worker's return until what was lost has ended: it looks for twenty before it gives a row up."""


def wait_until(is_true: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait for something to come true, or fail."""
    deadline = time.monotonic() + patience
    while not is_true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def free_port() -> int:
    """Find a port that nobody listens on yet. By chance, since other tests may be looking for one right now."""
    return next(port for port in random.sample(CANDIDATES, 50) if is_free(port))


@dataclass
class Stack:
    """Processes of one installation.

    environment: the operator's settings. wsgi: the module with the application. prefix: what starts each command.
    """

    environment: dict[str, str]
    logs: Path
    wsgi: str = "wsgi"
    prefix: tuple[str, ...] = ()
    children: list[Child] = field(default_factory=list)

    def start_web(self, threads: int = 12) -> "Session":
        """Start one more web process and return a way to it."""
        port = free_port()
        command = [
            "gunicorn",
            f"{self.wsgi}:app",
            "--bind",
            f"127.0.0.1:{port}",
            "--threads",
            str(threads),
            "--no-control-socket",
        ]
        self._start(f"web-{port}", command)
        session = Session(f"http://127.0.0.1:{port}")
        wait_until(session.is_up)
        return session

    def start_worker(self, processes: int = 2) -> Child:
        """Start a worker and wait for its first sign of life."""
        name = f"worker-{len(self.children)}"  # several run side by side
        return self._start(name, ["flask", "--app", self.wsgi, "worker", "--processes", str(processes)])

    def stop(self) -> None:
        """End everything."""
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
    """A visitor over real HTTP."""

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
        answer = self.post("/sign-in", {"email": email, "password": password})
        assert "/sign-in" not in answer.url, "the sign-in was refused"
        self._keep_token(answer)
        return self

    def get(self, path: str) -> requests.Response:
        answer = self.http.get(self.origin + path, timeout=10)
        self._keep_token(answer)
        return answer

    def post(self, path: str, data: dict[str, str] | None = None) -> requests.Response:
        headers = {"X-CSRFToken": self.token, "HX-Request": "true"} if data is None else {"X-CSRFToken": self.token}
        return self.http.post(self.origin + path, data=data or {}, headers=headers, timeout=20)

    def twin(self, origin: str) -> "Session":
        """The same visitor at another web process of the installation."""
        other = Session(origin, token=self.token)
        other.http.cookies.update(self.http.cookies)
        return other

    def _keep_token(self, answer: requests.Response) -> None:
        found = re.search(r'"X-CSRFToken": "([^"]+)"', answer.text)
        self.token = found[1] if found else self.token


@contextmanager
def run_processes(
    environment: dict[str, str], logs: Path, wsgi: str = "wsgi", prefix: tuple[str, ...] = ()
) -> Iterator[Stack]:
    """Have an installation for the length of a `with`."""
    stack = Stack(environment, logs, wsgi, prefix)
    try:
        yield stack
    finally:
        stack.stop()
        # What has just been killed takes a moment to be gone.
        wait_until(lambda: not any(session_members(child.pid) for child in stack.children))
