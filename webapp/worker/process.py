"""One process of a worker: takes jobs from the queue, sends their deliveries, and shows that it does."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import cast

from flask import Flask, current_app

from webapp import deliveries
from webapp.app_state import app_state, current_settings
from webapp.database.outages import describe_outage
from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.deliveries.database_retries import BEGIN_PATIENCE, retry
from webapp.queue import QueueUnavailable, enqueue_deliveries
from webapp.queue.connection import connect_patiently
from webapp.queue.jobs import open_worker_queue
from webapp.settings import AppSettings
from webapp.worker import account_mails
from webapp.worker.dispatcher import ConcurrencyLimits, Dispatcher, Report, list_independent
from webapp.worker.job_taker import JobTaker
from webapp.worker.notices import sending_notices
from webapp.worker.pings import ping_while_working
from webapp.worker.progress import Progress
from webapp.worker.signals import STOP_SIGNALS, defer_signals
from webapp.worker.thread_errors import log_thread_errors

log = logging.getLogger(__name__)

# Seconds to wait for running deliveries at shutdown: sending and recording one takes 20 at most.
SHUTDOWN_TIMEOUT = 25

# Seconds between two checks of the supervisor, and between two checks of the database.
CHECK_INTERVAL = 1.0


def run_process(app: Flask, supervisor_pid: int, readiness: Progress) -> None:
    """Run a worker process, in a forked child, until it is stopped: SIGTERM lets running deliveries finish.

    readiness: noted while the process takes jobs and reaches the database.
    """
    os.setpgrp()  # Ctrl-C then reaches only the supervisor, which stops this process
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    threading.Thread(target=_follow_supervisor, args=(supervisor_pid,), daemon=True).start()
    send_until_stopped(app, readiness)


def send_until_stopped(app: Flask, readiness: Progress) -> None:
    """Take jobs and send their deliveries in this process, until it is stopped. Ends the process if that fails.

    readiness: as for `run_process`.
    """
    rounds = Progress()
    threading.Thread(target=_show_readiness, args=(app, rounds, readiness), daemon=True).start()
    if app_state(app).settings.ping_url is not None:
        threading.Thread(target=ping_while_working, args=(app, readiness), daemon=True).start()
    try:
        with app.app_context():
            _take_jobs(current_settings(), rounds)
    except Exception as error:  # multiprocessing would print it, with its text
        log.error("worker process failed", extra={"error": type(error).__name__, "outage": describe_outage(error)})
        sys.exit(1)


@contextmanager
def dispatching(limits: ConcurrencyLimits, progress: Progress) -> Iterator[Dispatcher]:
    """Provide the dispatchers for this process's jobs. At the end, deliveries that were not started are requeued.

    progress: noted after each delivery, because a full dispatcher keeps the loop from going round.
    """
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    send = partial(_send, app, progress, deliveries.open_groups(current_settings()))
    dispatcher = app_state().dispatcher = Dispatcher(partial(_look_up, app), send, limits, send_alone=send)
    mails = Dispatcher(list_independent, partial(account_mails.send_mail, app), account_mails.LIMITS)
    app_state().mail_dispatcher = mails
    try:
        with sending_notices(app) as notices:
            yield dispatcher
    finally:  # RQ's own shutdown fails without Redis, but running deliveries must finish anyway
        with defer_signals(pass_on=False):
            with suppress(QueueUnavailable):  # recovery finds them
                enqueue_deliveries(*dispatcher.close())
            mails.close()  # maintenance enqueues those that were not started
            shutdown_at = time.monotonic() + SHUTDOWN_TIMEOUT
            dispatcher.wait_until_idle(timeout=SHUTDOWN_TIMEOUT)
            for others in (mails, notices):
                others.wait_until_idle(timeout=max(0.0, shutdown_at - time.monotonic()))


def _take_jobs(settings: AppSettings, rounds: Progress) -> None:
    redis = connect_patiently(settings.redis_url, settings.ca_file)
    queue = open_worker_queue(redis, f"{settings.redis_prefix}:rq")
    with dispatching(ConcurrencyLimits(), rounds) as dispatcher:
        JobTaker(queue, rounds.note, dispatcher.close).work(logging_level="WARNING")


def _follow_supervisor(supervisor_pid: int) -> None:
    """Stop this process after its running deliveries when the supervisor is gone: nothing would recover its rows."""
    while os.getppid() == supervisor_pid:
        time.sleep(CHECK_INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)


def _show_readiness(app: Flask, rounds: Progress, readiness: Progress) -> None:
    """Note the process as ready for as long as its loop goes round and a look-up of a delivery succeeds."""
    while True:
        if rounds.is_recent() and _can_look_up(app):
            readiness.note()
        with app.app_context():
            deliveries.discard_if_incomplete()
        time.sleep(CHECK_INTERVAL if rounds.is_recent() else CHECK_INTERVAL / 10)


def _can_look_up(app: Flask) -> bool:
    with app.app_context(), suppress(Exception):
        deliveries.list_ready_deliveries([0])
        return True
    return False


def _look_up(app: Flask, delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
    with app.app_context(), log_thread_errors("delivery", *delivery_ids):
        give_up_at = time.monotonic() + BEGIN_PATIENCE
        return retry(lambda: deliveries.list_ready_deliveries(delivery_ids), give_up_at, *delivery_ids)
    return []


def _send(
    app: Flask, progress: Progress, groups: deliveries.SendGroups, delivery_id: int, report: Report | None = None
) -> None:
    with app.app_context(), log_thread_errors("delivery", delivery_id):
        deliveries.send(delivery_id, current_settings(), groups, report)
        progress.note()
