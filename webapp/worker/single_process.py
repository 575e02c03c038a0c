"""A worker in one process, which takes less memory than a parent with one process, but which nothing in it replaces."""

import logging
import os
import signal
import threading
from typing import Any

from flask import Flask

from webapp.worker.maintenance import Maintenance
from webapp.worker.process import send_until_stopped
from webapp.worker.progress import Progress
from webapp.worker.signals import STOP_SIGNALS
from webapp.worker.supervisor import START_INTERVAL, prepare, work

log = logging.getLogger(__name__)

# Seconds that the last round of maintenance gets to finish. What it leaves, the next worker does.
LAST_ROUND = 3.0


def run_single_process(app: Flask) -> None:
    """Take jobs, and run maintenance in another thread, until the worker is stopped: as `run_worker`, but alone.

    Whatever starts the worker has to start it again when it has ended. Raises `Misconfigured`.
    """
    stop = prepare(app, 1)
    queue_is_usable, readiness = threading.Event(), Progress()
    maintenance = Maintenance(app, forks=False)
    rounds = {"start": queue_is_usable.set, "is_working": readiness.is_recent}
    thread = threading.Thread(target=_work_or_stop, args=(maintenance, stop), kwargs=rounds, daemon=True)
    thread.start()
    try:
        while not stop.is_set() and not queue_is_usable.wait(START_INTERVAL):
            pass
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)  # until RQ has handlers of its own, nothing runs that has to finish
        if not stop.is_set():
            send_until_stopped(app, readiness)
    finally:
        stop.set()
        thread.join(LAST_ROUND)


def _work_or_stop(maintenance: Maintenance, stop: threading.Event, **rounds: Any) -> None:
    """Run maintenance. If that fails, stop the process: without it, no test would be tried again or recovered."""
    try:
        work(maintenance, stop, **rounds)
    except BaseException as error:
        log.critical("maintenance failed, the worker stops", extra={"error": type(error).__name__})
        os.kill(os.getpid(), signal.SIGTERM)
