"""Injects random faults into a running installation: killed and paused processes, a lost queue, a locked database."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Timer

from sqlalchemy import text

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import Session
from webapp.demo.supervisor.processes import Child, session_members
from webapp.extensions import db

WEB_SERVERS = 2
WORKERS = 2

# Seconds for which a process is paused, or a table is locked.
PAUSES = (1.0, 25.0)


@dataclass
class Faults:
    """Starts the web servers and workers of an installation and disturbs them, one fault at a time.

    counts: how often each fault was injected.
    """

    installation: Installation
    chance: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    web: list[Child] = field(default_factory=list)
    workers: list[Child] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)

    def start(self) -> list[Session]:
        """Start every process and return a session with each web server."""
        stack = self.installation.stack
        self.sessions = [self.installation.sign_in()]
        self.web = [stack.children[-1]]
        for _ in range(WEB_SERVERS - 1):
            self._start_web()
        self.workers = [stack.start_worker() for _ in range(WORKERS)]
        return self.sessions

    def inject_one(self) -> list[Session]:
        """Inject one fault chosen at random, and return the sessions with the web servers that now run."""
        fault = self.chance.choice(
            (
                self._kill_worker,
                self._kill_worker_process,
                self._kill_worker_process,
                self._kill_web,
                self._pause_worker_process,
                self._lose_queue,
                self._end_connections,
                self._lock_deliveries,
            )
        )
        with suppress(ProcessLookupError, IndexError):  # a process that has just been started has no children yet
            fault()
            self.counts[fault.__name__.strip("_").replace("_", " ")] += 1
        return list(self.sessions)

    def end_all(self) -> None:
        """End every fault that lasts."""
        for timer in self.timers:
            timer.join()

    def _start_web(self) -> None:
        session = self.installation.stack.start_web()
        self.sessions.append(self.sessions[0].with_origin(session.origin))
        self.web.append(self.installation.stack.children[-1])

    def _kill_worker(self) -> None:
        number = self.chance.randrange(WORKERS)
        self.workers[number].kill()
        self.workers[number] = self.installation.stack.start_worker()

    def _kill_worker_process(self) -> None:
        os.kill(self._choose_worker_process(), signal.SIGKILL)

    def _pause_worker_process(self) -> None:
        process = self._choose_worker_process()
        os.kill(process, signal.SIGSTOP)
        self._resume_later(process)

    def _kill_web(self) -> None:
        number = self.chance.randrange(WEB_SERVERS)
        self._start_web()
        self.web[number].kill()
        del self.web[number], self.sessions[number]

    def _lose_queue(self) -> None:
        self.installation.queue_server.process.kill()
        self.installation.restart_queue_server()

    def _end_connections(self) -> None:
        with self._database():
            db.session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    def _lock_deliveries(self) -> None:
        seconds = self.chance.uniform(*PAUSES)
        with self._database():
            db.session.execute(text("LOCK TABLE alert_deliveries IN ACCESS EXCLUSIVE MODE"))
            db.session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})

    def _choose_worker_process(self) -> int:
        worker = self.chance.choice(self.workers)
        return self.chance.choice([pid for pid in session_members(worker.pid) if pid != worker.pid])

    @contextmanager
    def _database(self) -> Iterator[None]:
        with self.installation.app.app_context():
            yield
            db.session.rollback()

    def _resume_later(self, process: int) -> None:
        timer = Timer(self.chance.uniform(*PAUSES), _resume, (process,))
        timer.start()
        self.timers.append(timer)


def _resume(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGCONT)
