"""One process of a worker: takes jobs from the queue, sends their deliveries, and records heartbeats."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import cast

from flask import Flask, current_app
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from webapp import deliveries
from webapp.app_state import app_state, current_settings
from webapp.deliveries.ready_deliveries import ReadyDelivery
from webapp.extensions import db
from webapp.queue import QUEUE, QueueUnavailable, enqueue_deliveries, record_heartbeat
from webapp.worker.dispatcher import ConcurrencyLimits, Dispatcher
from webapp.worker.signals import STOP_SIGNALS, defer_signals

log = logging.getLogger(__name__)

# Seconds to wait for running deliveries at shutdown: sending and recording one takes 20 at most.
SHUTDOWN_TIMEOUT = 25

# Seconds between two attempts to reconnect to Redis. RQ's own default grows to a minute.
MAX_RECONNECT_WAIT = 2.0

HEARTBEAT_INTERVAL = 1.0


def run_process(app: Flask, supervisor_pid: int) -> None:
    """Run a worker process, in a forked child, until it is stopped: SIGTERM lets running deliveries finish."""
    os.setpgrp()  # Ctrl-C then reaches only the supervisor, which stops this process
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    threading.Thread(target=_send_heartbeats, args=(app, supervisor_pid), daemon=True).start()
    try:
        with app.app_context():
            _take_jobs(current_settings().redis_url)
    except Exception as error:  # multiprocessing would print it, with its text
        log.error("worker process failed", extra={"error": type(error).__name__})
        sys.exit(1)


@contextmanager
def dispatching(limits: ConcurrencyLimits) -> Iterator[Dispatcher]:
    """Provide the dispatcher for this process's jobs. At the end, deliveries it has not started are requeued."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    dispatcher = app_state().dispatcher = Dispatcher(partial(_look_up, app), partial(_send, app), limits)
    try:
        yield dispatcher
    finally:  # RQ's own shutdown fails without Redis, but running deliveries must finish anyway
        with defer_signals(pass_on=False):
            with suppress(QueueUnavailable):  # recovery finds them
                enqueue_deliveries(*dispatcher.close())
            dispatcher.wait_until_idle(timeout=SHUTDOWN_TIMEOUT)


def _take_jobs(redis_url: str) -> None:
    # SimpleWorker: a fork per job costs more than a send, and recovery reads from the rows what a killed process left.
    queue = Queue(QUEUE, connection=Redis.from_url(redis_url), serializer=JSONSerializer)
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.max_connection_wait_time = MAX_RECONNECT_WAIT
    with dispatching(ConcurrencyLimits()):
        worker.work(logging_level="WARNING")


def _send_heartbeats(app: Flask, supervisor_pid: int) -> None:
    """Record heartbeats while the supervisor is alive; then stop this process after its running deliveries.

    Without a supervisor, nothing would replace this process or recover its rows. The first heartbeat is delayed, so
    that a process that fails at startup records none.
    """
    time.sleep(HEARTBEAT_INTERVAL / 4)
    while os.getppid() == supervisor_pid:
        with app.app_context(), suppress(QueueUnavailable):
            record_heartbeat(f"{socket.gethostname()}:{supervisor_pid}")
        time.sleep(HEARTBEAT_INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)


def _look_up(app: Flask, delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
    with app.app_context(), _log_unexpected(*delivery_ids):
        return deliveries.list_ready_deliveries(delivery_ids)
    return []


def _send(app: Flask, delivery_id: int) -> None:
    with app.app_context(), _log_unexpected(delivery_id):
        deliveries.send(delivery_id, current_settings())


@contextmanager
def _log_unexpected(*delivery_ids: int) -> Iterator[None]:
    """Log only the type of an unexpected error: Python would print an uncaught one with its text."""
    try:
        yield
    except Exception as error:
        with suppress(Exception):
            db.session.rollback()
        for delivery_id in delivery_ids:
            fields = {"delivery": delivery_id, "error": type(error).__name__}
            log.error("unexpected error in a job, recovery ends the row", extra=fields)
