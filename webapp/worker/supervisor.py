"""The worker's parent process: starts the processes that send, replaces dead ones, and runs maintenance."""

import logging
import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from multiprocessing.context import ForkProcess
from types import FrameType

from flask import Flask

from webapp import __version__, deliveries
from webapp.app_state import current_settings
from webapp.auth.refused_sign_ins import report_refused_sign_ins
from webapp.environment.model import Misconfigured
from webapp.extensions import db
from webapp.models import database_clock
from webapp.queue import JOB_TIMEOUT, QueueUnavailable, enqueue_deliveries, is_worker_alive
from webapp.worker.process import run_process
from webapp.worker.signals import STOP_SIGNALS

log = logging.getLogger(__name__)

# Seconds between two maintenance runs.
MAINTENANCE_INTERVAL = 1.0


def run_worker(app: Flask, size: int) -> None:
    """Run `size` processes until the worker is stopped: SIGTERM lets each finish its running deliveries.

    Raises `Misconfigured` if the queue server does not respond.
    """
    _require_queue()
    current_settings().outbound.prepare()
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    log.info("worker started", extra={"version": __version__, "processes": size})
    processes: list[ForkProcess] = []
    wait_tracker, retention = deliveries.WaitTracker(), deliveries.Retention(current_settings().keep_deliveries)
    try:
        while not stop.is_set():
            _start_missing(processes, size, app)
            _run_maintenance(app, wait_tracker, retention)
            stop.wait(MAINTENANCE_INTERVAL)
    finally:
        _stop_all(processes)


def _require_queue() -> None:
    try:
        is_worker_alive()
    except QueueUnavailable:
        raise Misconfigured("The queue server at REDIS_URL does not answer. Start it, then start the worker.") from None


def _start_missing(processes: list[ForkProcess], size: int, app: Flask) -> None:
    """Replace dead processes. A process that cannot be started now is started by a later call."""
    for dead in [process for process in processes if not process.is_alive()]:
        log.warning("worker process ended", extra={"ended_pid": dead.pid, "exit": dead.exitcode})
        processes.remove(dead)
    try:
        while len(processes) < size:
            processes.append(_start_process(app))
    except OSError as error:
        log.error("cannot start a worker process", extra={"error": type(error).__name__})


def _start_process(app: Flask) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=run_process, args=(app, os.getpid()))
    # Stop signals stay blocked until the child has its own handlers: the handlers of the parent would lose them.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return process


def _stop_all(processes: list[ForkProcess]) -> None:
    """Stop every process after its running deliveries, and wait for it. Kill it after `JOB_TIMEOUT` seconds."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(JOB_TIMEOUT)
        process.kill()


def _run_maintenance(app: Flask, wait_tracker: deliveries.WaitTracker, retention: deliveries.Retention) -> None:
    """Run one recovery pass, delete a page of old deliveries, and report refused sign-ins to the audit trail."""
    with app.app_context():
        try:
            now = database_clock.now()
            _enqueue(deliveries.recover(now, current_settings(), wait_tracker))
            retention.delete_old_page(now)
            report_refused_sign_ins(now)
        except Exception as error:  # whatever happens in one run, the next one must run
            log.error("maintenance failed", extra={"error": type(error).__name__})
        with suppress(Exception):
            # The next process is forked from this one, and two processes must not share a connection.
            db.session.remove()
            db.engine.dispose()


def _enqueue(delivery_ids: list[int]) -> None:
    try:
        enqueue_deliveries(*delivery_ids)
    except QueueUnavailable:
        log.warning("queue unavailable, the next recovery pass tries again")
