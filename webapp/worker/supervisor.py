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

from webapp import deliveries, queue
from webapp.extensions import db
from webapp.settings import Misconfigured, current_config

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two recovery passes."""


def work(app: Flask, size: int) -> None:
    """Run `size` processes until told to stop; SIGTERM lets each finish what it is sending.

    Raises `Misconfigured` if there is no queue to work on.
    """
    _require_queue()
    current_config().way_out.prepare()
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    team: list[ForkProcess] = []
    sightings, retention = deliveries.Sightings(), deliveries.Retention(current_config().keep_deliveries)
    try:
        while not stop.is_set():
            _fill(team, size, app)
            _keep_house(app, sightings, retention)
            stop.wait(TICK)
    finally:
        _dismiss(team)


def _require_queue() -> None:
    try:
        queue.is_worker_alive()
    except queue.QueueUnavailable:
        raise Misconfigured("The queue server at REDIS_URL does not answer. Start it, then start the worker.") from None


def _fill(team: list[ForkProcess], size: int, app: Flask) -> None:
    """Start what is missing; what cannot be started now is tried again at the next tick."""
    for dead in [member for member in team if not member.is_alive()]:
        log.warning("worker process ended", extra={"ended_pid": dead.pid, "exit": dead.exitcode})
        team.remove(dead)
    try:
        while len(team) < size:
            team.append(_start_member(app))
    except OSError as error:
        log.error("no further worker process could be started", extra={"error": type(error).__name__})


def _start_member(app: Flask) -> ForkProcess:
    member = multiprocessing.get_context("fork").Process(target=_take_jobs, args=(app, os.getpid()))
    # Until the child has handlers of its own, a signal to stop waits: with its parent's it would be lost.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, queue.STOPS)
    try:
        member.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return member


def _dismiss(team: list[ForkProcess]) -> None:
    """Ask every process to stop after the sends under way, and wait for them."""
    for member in team:
        member.terminate()
    for member in team:
        member.join(queue.JOB_TIMEOUT)
        member.kill()


def _take_jobs(app: Flask, parent: int) -> None:
    os.setpgrp()  # Ctrl-C reaches the parent alone, which asks us to stop
    for number in queue.STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, queue.STOPS)
    threading.Thread(target=_live_with, args=(app, parent), daemon=True).start()
    with app.app_context():
        queue.run_worker(current_config().redis_url)


def _live_with(app: Flask, parent: int) -> None:
    """Give signs of life while the parent lives; once it is gone, stop after the sends under way.

    Nobody would replace this process then, nor recover what it leaves. The first sign waits for a moment: a process
    that breaks at its start gives none.
    """
    time.sleep(TICK / 4)
    while os.getppid() == parent:
        with app.app_context(), suppress(queue.QueueUnavailable):
            queue.report_alive(f"{socket.gethostname()}:{parent}")
        time.sleep(TICK)
    os.kill(os.getpid(), signal.SIGTERM)


def _keep_house(app: Flask, sightings: deliveries.Sightings, retention: deliveries.Retention) -> None:
    with app.app_context():
        try:
            queue.enqueue_deliveries(*deliveries.recover(datetime.now(UTC), current_config(), sightings))
            retention.forget_some(datetime.now(UTC))
        except queue.QueueUnavailable:
            log.warning("queue unavailable, the next recovery pass tries again")
        except Exception as error:  # the clock must go on whatever one pass meets
            log.error("recovery pass broke", extra={"error": type(error).__name__})
        with suppress(Exception):
            # The next process is forked from this one, and two processes must not share a connection.
            db.session.remove()
            db.engine.dispose()
