"""The worker: a few processes that take jobs; their parent replaces dead ones and recovers what they left."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.context import ForkProcess
from types import FrameType

from flask import Flask

from webapp import deliveries, jobs
from webapp.config import Misconfigured, current_config
from webapp.extensions import db

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two recovery passes."""


def work(app: Flask, size: int) -> None:
    """Run `size` processes until told to stop; SIGTERM lets each finish the send in hand.

    Raises `Misconfigured` if there is no queue to work on.
    """
    _require_queue()
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    team = [_start_member(app) for _ in range(size)]
    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    while not stop.wait(TICK):
        team = [member if member.is_alive() else _replace(app, member) for member in team]
        _recover_once(app)
    for member in team:
        member.terminate()
    for member in team:
        member.join()


def _require_queue() -> None:
    try:
        jobs.is_worker_alive()
    except jobs.QueueUnavailable:
        raise Misconfigured("The queue server at REDIS_URL does not answer. Start it, then start the worker.") from None


def _start_member(app: Flask) -> ForkProcess:
    member = multiprocessing.get_context("fork").Process(target=_take_jobs, args=(app, os.getpid()))
    member.start()
    return member


def _replace(app: Flask, dead: ForkProcess) -> ForkProcess:
    log.warning("worker process ended and is replaced: pid=%s exit=%s", dead.pid, dead.exitcode)
    return _start_member(app)


def _take_jobs(app: Flask, parent: int) -> None:
    os.setpgrp()  # Ctrl-C reaches the parent alone, which asks us to stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_live_with, args=(app, parent), daemon=True).start()
    with app.app_context():
        jobs.run_worker(current_config().redis_url)


def _live_with(app: Flask, parent: int) -> None:
    """Give signs of life while the parent lives; once it is gone, stop after the send in hand.

    Nobody would replace this process then, nor recover what it leaves. The first sign waits for a moment: a process
    that breaks at its start gives none.
    """
    time.sleep(TICK / 4)
    while os.getppid() == parent:
        with app.app_context(), suppress(jobs.QueueUnavailable):
            jobs.report_alive()
        time.sleep(TICK)
    os.kill(os.getpid(), signal.SIGTERM)


def _recover_once(app: Flask) -> None:
    with app.app_context():
        try:
            for delivery_id in deliveries.recover(datetime.now(UTC)):
                jobs.enqueue_delivery(delivery_id)
        except jobs.QueueUnavailable:
            log.warning("queue unavailable, the next recovery pass tries again")
        except Exception as error:  # the clock must go on whatever one pass meets
            db.session.rollback()
            log.error("recovery pass broke: error=%s", type(error).__name__)
        finally:
            # The next process is forked from this one, and two processes must not share a connection.
            db.session.remove()
            db.engine.dispose()
