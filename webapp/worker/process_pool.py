"""The processes of a worker: started by its parent, replaced when they die, and stopped with it."""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkProcess

from flask import Flask

from webapp.queue.jobs import JOB_TIMEOUT
from webapp.worker.process import run_process
from webapp.worker.progress import Progress
from webapp.worker.signals import STOP_SIGNALS

log = logging.getLogger(__name__)

# If a process ends within this many seconds of its start, its successor counts as working only after as many: processes
# that crash again and again take jobs now and then, but do not work.
PROBATION = 10.0


@dataclass(frozen=True)
class ChildProcess:
    """A process of the worker. counts_from: when it may count as working, in seconds of the monotonic clock."""

    process: ForkProcess
    readiness: Progress
    started_at: float
    counts_from: float

    def is_working(self) -> bool:
        """Return whether the process takes jobs, and is not one of several that die young."""
        return self.process.is_alive() and time.monotonic() >= self.counts_from and self.readiness.is_recent()


def start_missing(children: list[ChildProcess], size: int, app: Flask) -> None:
    """Replace dead processes. A process that cannot be started now is started by a later call."""
    counts_from = time.monotonic()
    for dead in [child for child in children if not child.process.is_alive()]:
        log.warning("worker process ended", extra={"ended_pid": dead.process.pid, "exit": dead.process.exitcode})
        children.remove(dead)
        if time.monotonic() - dead.started_at < PROBATION:
            counts_from = time.monotonic() + PROBATION
    try:
        while len(children) < size:
            children.append(_start_process(app, counts_from))
    except OSError as error:
        log.error("cannot start a worker process", extra={"error": type(error).__name__})


def _start_process(app: Flask, counts_from: float) -> ChildProcess:
    readiness = Progress()
    process = multiprocessing.get_context("fork").Process(target=run_process, args=(app, os.getpid(), readiness))
    # Stop signals stay blocked until the child has its own handlers: the handlers of the parent would lose them.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return ChildProcess(process, readiness, time.monotonic(), counts_from)


def stop_all(children: Sequence[ChildProcess]) -> None:
    """Stop every process after its running deliveries, and wait for it. Kill it after `JOB_TIMEOUT` seconds."""
    for child in children:
        child.process.terminate()
    for child in children:
        child.process.join(JOB_TIMEOUT)
        child.process.kill()
