"""The worker's parent process: starts the processes that send, replaces dead ones, and runs maintenance."""

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from types import FrameType

from flask import Flask

from webapp import __version__, deliveries
from webapp.account_mail.recovery import recover_account_mails
from webapp.app_state import app_state, current_settings
from webapp.audit_trail import AuditRetention
from webapp.auth.account_links import delete_expired_account_links
from webapp.auth.customer_links import delete_expired_links
from webapp.auth.invitations import delete_old_invitations
from webapp.auth.refused_sign_ins import report_refused_sign_ins
from webapp.auth.workspace_deletion import delete_remains
from webapp.database.outages import Reason, describe_outage, find_reason
from webapp.destinations.drafts import delete_old_drafts
from webapp.destinations.search_index import SearchIndexing
from webapp.drills.rounds import DrillRounds
from webapp.environment.model import Misconfigured
from webapp.extensions import db
from webapp.models import database_clock
from webapp.notices.rounds import NoticeRounds
from webapp.queue import (
    QueueUnavailable,
    WorkerFault,
    enqueue_account_mails,
    enqueue_deliveries,
    record_fault,
    record_heartbeat,
)
from webapp.queue.jobs import JOB_TIMEOUT, ForeignPrefix, require_prefix
from webapp.sends.planned_tests import run_planned_tests
from webapp.startup.settings_summary import summarize_settings
from webapp.worker.process import run_process
from webapp.worker.queue_watch import QueueWatch
from webapp.worker.readiness import Progress
from webapp.worker.schema_wait import wait_for_schema
from webapp.worker.signals import STOP_SIGNALS

log = logging.getLogger(__name__)

# Seconds between two maintenance runs.
MAINTENANCE_INTERVAL = 1.0

# The same until the first process takes jobs, so that the first heartbeat is not late.
START_INTERVAL = 0.2

# A process that ends within this many seconds of its start makes its successor count only after as many: a crash loop
# takes jobs now and then, but does not work.
PROBATION = 10.0


@dataclass(frozen=True)
class Member:
    """A process of the worker. counts_from: when it may count as working, in seconds of the monotonic clock."""

    process: ForkProcess
    readiness: Progress
    started_at: float
    counts_from: float

    def is_working(self) -> bool:
        """Return whether the process takes jobs, and is not one of several that die young."""
        return self.process.is_alive() and time.monotonic() >= self.counts_from and self.readiness.is_recent()


def run_worker(app: Flask, size: int) -> None:
    """Run `size` processes until the worker is stopped: SIGTERM lets each finish its running deliveries.

    While the queue server cannot be used, it starts no process and waits. Raises `Misconfigured`.
    """
    prefix = current_settings().redis_prefix
    _require_prefix(prefix)
    current_settings().outbound.prepare()
    stop = _stop_on_signals()
    facts = {"version": __version__, "processes": size, "redis_prefix": prefix}
    log.info("worker started", extra=facts | summarize_settings(current_settings()))
    wait_for_schema(app, stop)
    members: list[Member] = []
    started_at = time.monotonic()
    wait_tracker, retention = deliveries.WaitTracker(), deliveries.Retention(current_settings().keep_deliveries)
    indexing, watch = SearchIndexing(), QueueWatch()
    app_state(app).maintenance += [
        AuditRetention(current_settings().keep_audit).delete_old_page,
        DrillRounds().run,
        NoticeRounds().run,
    ]
    try:
        while not stop.is_set():
            if watch.is_usable():
                _start_missing(members, size, app)
            fault = _run_maintenance(app, wait_tracker, retention, indexing)
            is_working = any(member.is_working() for member in members)
            _report(app, fault, is_working)
            is_starting = fault is None and not is_working and time.monotonic() < started_at + PROBATION
            stop.wait(START_INTERVAL if is_starting else MAINTENANCE_INTERVAL)
    finally:
        _stop_all([member.process for member in members])


def _stop_on_signals() -> threading.Event:
    """Return an event that a stop signal sets."""
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    return stop


def _require_prefix(prefix: str) -> None:
    try:
        require_prefix(f"{prefix}:rq")
    except ForeignPrefix:
        raise Misconfigured(
            "RQ was imported before Alertcheck could set its prefix. Start the worker with this variable:"
            f" RQ_KEY_PREFIX={prefix}:rq"
        ) from None


def _start_missing(members: list[Member], size: int, app: Flask) -> None:
    """Replace dead processes. A process that cannot be started now is started by a later call."""
    counts_from = time.monotonic()
    for dead in [member for member in members if not member.process.is_alive()]:
        log.warning("worker process ended", extra={"ended_pid": dead.process.pid, "exit": dead.process.exitcode})
        members.remove(dead)
        if time.monotonic() - dead.started_at < PROBATION:
            counts_from = time.monotonic() + PROBATION
    try:
        while len(members) < size:
            members.append(_start_process(app, counts_from))
    except OSError as error:
        log.error("cannot start a worker process", extra={"error": type(error).__name__})


def _start_process(app: Flask, counts_from: float) -> Member:
    readiness = Progress()
    process = multiprocessing.get_context("fork").Process(target=run_process, args=(app, os.getpid(), readiness))
    # Stop signals stay blocked until the child has its own handlers: the handlers of the parent would lose them.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return Member(process, readiness, time.monotonic(), counts_from)


def _stop_all(processes: list[ForkProcess]) -> None:
    """Stop every process after its running deliveries, and wait for it. Kill it after `JOB_TIMEOUT` seconds."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(JOB_TIMEOUT)
        process.kill()


def _run_maintenance(
    app: Flask, wait_tracker: deliveries.WaitTracker, retention: deliveries.Retention, indexing: SearchIndexing
) -> WorkerFault | Reason | None:
    """Run one recovery pass, request planned tests, delete what is old, report refused sign-ins, and the rest.

    Returns why the recovery pass failed, or None if it succeeded.
    """
    fault: WorkerFault | Reason | None = WorkerFault.DATABASE
    with app.app_context():
        try:
            now = database_clock.now()
            delivery_ids = deliveries.recover(now, current_settings(), wait_tracker)
            fault = None
            _enqueue(delivery_ids)
            _enqueue_mails(recover_account_mails(now))
            run_planned_tests(now)
            retention.delete_old_page(now)
            report_refused_sign_ins(now)
            delete_old_drafts(now)
            indexing.add_missing_page(current_settings().cipher)
            delete_expired_links(now)
            delete_expired_account_links(now)
            delete_old_invitations(now)
            delete_remains()
            for run in app_state(app).maintenance:
                run(now)
        except Exception as error:  # whatever happens in one run, the next one must run
            log.error("maintenance failed", extra={"error": type(error).__name__, "outage": describe_outage(error)})
            fault = fault and (find_reason(error) or fault)
        with suppress(Exception):
            # The next process is forked from this one, and two processes must not share a connection.
            db.session.remove()
            db.engine.dispose()
    return fault


def _enqueue(delivery_ids: list[int]) -> None:
    try:
        enqueue_deliveries(*delivery_ids)
    except QueueUnavailable:
        log.warning("queue server unavailable, the next recovery pass tries again")


def _enqueue_mails(mail_ids: Sequence[int]) -> None:
    with suppress(QueueUnavailable):  # logged; they are enqueued again soon
        enqueue_account_mails(*mail_ids)


def _report(app: Flask, fault: WorkerFault | Reason | None, has_members_at_work: bool) -> None:
    """Record a heartbeat if the worker does its work, or else why not."""
    with app.app_context(), suppress(QueueUnavailable):
        if fault is not None:
            record_fault(fault)
        elif not has_members_at_work:
            record_fault(WorkerFault.PROCESSES)
        else:
            record_heartbeat(f"{socket.gethostname()}:{os.getpid()}")
