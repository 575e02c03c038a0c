"""The worker's parent process: keeps the processes that send running, runs maintenance, and shows that it works."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from flask import Flask
from sqlalchemy.orm import configure_mappers

from webapp import __version__
from webapp.app_state import current_settings
from webapp.environment.settings_reader import Misconfigured
from webapp.queue.jobs import ForeignPrefix, require_prefix
from webapp.startup.garbage_collection import share_with_forks
from webapp.startup.settings_summary import summarize_settings
from webapp.worker.heartbeat import report_heartbeat
from webapp.worker.maintenance import Maintenance
from webapp.worker.process_pool import PROBATION, ChildProcess, start_missing, stop_all
from webapp.worker.queue_watch import QueueWatch
from webapp.worker.schema_wait import wait_for_schema
from webapp.worker.signals import stop_on_hangup

log = logging.getLogger(__name__)

# Seconds between two maintenance runs.
MAINTENANCE_INTERVAL = 1.0

# The same while a run leaves something to the next one.
BEHIND_INTERVAL = 0.01

# The same until the first process takes jobs, so that the first heartbeat is not late.
START_INTERVAL = 0.2


def run_worker(app: Flask, size: int) -> None:
    """Run `size` processes until the worker is stopped: SIGTERM lets each finish its running deliveries.

    While the queue server cannot be used, it starts no process and waits. Raises `Misconfigured`.
    """
    stop = prepare(app, size)
    configure_mappers()  # or else each process does it
    share_with_forks()
    children: list[ChildProcess] = []
    try:
        work(
            Maintenance(app),
            stop,
            start=lambda: start_missing(children, size, app),
            is_working=lambda: any(child.is_working() for child in children),
        )
    finally:
        stop_all(children)


def prepare(app: Flask, size: int) -> threading.Event:
    """Return when the database can be used, with an event that a stop signal sets. Raises `Misconfigured`.

    size: how many processes will send.
    """
    prefix = current_settings().redis_prefix
    _require_prefix(prefix)
    current_settings().outbound.prepare()
    stop = _stop_on_signals()
    facts = {"version": __version__, "processes": size, "redis_prefix": prefix}
    log.info("worker started", extra=facts | summarize_settings(current_settings()))
    wait_for_schema(app, stop)
    return stop


def work(
    maintenance: Maintenance, stop: threading.Event, start: Callable[[], object], is_working: Callable[[], bool]
) -> None:
    """Run maintenance, and report what the worker does, until it is stopped.

    start: called in each round in which the queue server can be used. is_working: whether anything takes jobs.
    """
    started_at, watch, app = time.monotonic(), QueueWatch(), maintenance.app
    while not stop.is_set():
        with app.app_context():
            is_usable = watch.is_usable()
        if is_usable:
            start()
        fault = maintenance.run()
        works = is_working()
        report_heartbeat(app, fault, works, maintenance.database_mark)
        is_starting = fault is None and not works and time.monotonic() < started_at + PROBATION
        interval = START_INTERVAL if is_starting else MAINTENANCE_INTERVAL
        stop.wait(BEHIND_INTERVAL if maintenance.is_behind else interval)


def _stop_on_signals() -> threading.Event:
    """Return an event that a stop signal sets."""
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    stop_on_hangup()
    return stop


def _require_prefix(prefix: str) -> None:
    try:
        require_prefix(f"{prefix}:rq")
    except ForeignPrefix:
        raise Misconfigured(
            "RQ was imported before Alertcheck could set its prefix. Start the worker with this variable:"
            f" RQ_KEY_PREFIX={prefix}:rq"
        ) from None
