"""The worker: a few processes that take jobs and send; their parent replaces dead ones and recovers what they left."""

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.context import ForkProcess
from types import FrameType

from flask import Flask

from webapp import __version__, deliveries, queue
from webapp.environment.model import Misconfigured
from webapp.extensions import db
from webapp.settings import current_settings

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two recovery passes."""


def run_worker(app: Flask, size: int) -> None:
    """Run `size` processes until told to stop; SIGTERM lets each finish what it is sending.

    Raises `Misconfigured` if there is no queue to work on.
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
            stop.wait(TICK)
    finally:
        _stop_all(processes)


def _require_queue() -> None:
    try:
        queue.is_worker_alive()
    except queue.QueueUnavailable:
        raise Misconfigured("The queue server at REDIS_URL does not answer. Start it, then start the worker.") from None


def _start_missing(processes: list[ForkProcess], size: int, app: Flask) -> None:
    """Start what is missing; what cannot be started now is tried again at the next tick."""
    for dead in [process for process in processes if not process.is_alive()]:
        log.warning("worker process ended", extra={"ended_pid": dead.pid, "exit": dead.exitcode})
        processes.remove(dead)
    try:
        while len(processes) < size:
            processes.append(_start_process(app))
    except OSError as error:
        log.error("no further worker process could be started", extra={"error": type(error).__name__})


def _start_process(app: Flask) -> ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=_run_process, args=(app, os.getpid()))
    # Until the child has handlers of its own, a signal to stop waits: with its parent's it would be lost.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, queue.STOP_SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _stop_all(processes: list[ForkProcess]) -> None:
    """Ask every process to stop after the sends under way, and wait for them."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(queue.JOB_TIMEOUT)
        process.kill()


def _run_process(app: Flask, parent: int) -> None:
    os.setpgrp()  # Ctrl-C reaches the parent alone, which asks us to stop
    for number in queue.STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, queue.STOP_SIGNALS)
    threading.Thread(target=_send_heartbeats, args=(app, parent), daemon=True).start()
    with app.app_context():
        queue.run_worker(current_settings().redis_url)


def _send_heartbeats(app: Flask, parent: int) -> None:
    """Give signs of life while the parent lives; once it is gone, stop after the sends under way.

    Nobody would replace this process then, nor recover what it leaves. The first sign waits for a moment: a process
    that breaks at its start gives none.
    """
    time.sleep(TICK / 4)
    while os.getppid() == parent:
        with app.app_context(), suppress(queue.QueueUnavailable):
            queue.record_heartbeat(f"{socket.gethostname()}:{parent}")
        time.sleep(TICK)
    os.kill(os.getpid(), signal.SIGTERM)


def _run_maintenance(app: Flask, wait_tracker: deliveries.WaitTracker, retention: deliveries.Retention) -> None:
    with app.app_context():
        try:
            queue.enqueue_deliveries(*deliveries.recover(datetime.now(UTC), current_settings(), wait_tracker))
            retention.forget_some(datetime.now(UTC))
        except queue.QueueUnavailable:
            log.warning("queue unavailable, the next recovery pass tries again")
        except Exception as error:  # the clock must go on whatever one pass meets
            log.error("recovery pass broke", extra={"error": type(error).__name__})
        with suppress(Exception):
            # The next process is forked from this one, and two processes must not share a connection.
            db.session.remove()
            db.engine.dispose()
