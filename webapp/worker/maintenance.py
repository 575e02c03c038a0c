"""What a worker's parent does about once a second: recovery first, then all that can wait for a while."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic

from flask import Flask

from webapp import deliveries
from webapp.account_mail.worker_rounds import recover_account_mails
from webapp.app_state import app_state, current_settings
from webapp.audit_trail import AuditRetention
from webapp.auth.account_links import delete_expired_account_links
from webapp.auth.customer_links import delete_expired_links
from webapp.auth.refused_sign_ins import report_refused_sign_ins
from webapp.database.outages import Reason, describe_outage, find_reason
from webapp.destinations.drafts import delete_old_drafts
from webapp.destinations.search_index import SearchIndexing
from webapp.drills.requesting import DrillRounds
from webapp.extensions import db
from webapp.health.database_mark import read_mark
from webapp.models import database_clock
from webapp.notices.worker_rounds import NoticeRounds
from webapp.presses.planned_test_runs import PlannedTestRuns
from webapp.queue import QueueUnavailable, WorkerFault, enqueue_account_mails, enqueue_deliveries
from webapp.settings import AppSettings
from webapp.workspaces.deleted_workspaces import delete_remains
from webapp.workspaces.invitations import delete_old_invitations

log = logging.getLogger(__name__)

# A part of the maintenance, given the time. It returns True if it has not finished and somebody waits, so that the next
# run should begin at once; nothing else that it returns is used.
Task = Callable[[datetime], object]

# Seconds between two runs of all parts while the worker is behind. The runs between them only continue what somebody
# waits for, so that nothing else takes the time of a worker that is behind.
ROUND_INTERVAL = 1.0

# If a part fails after a run has taken this many seconds, the other parts are left to the next run: each may wait for a
# time limit of the database, and the heartbeat must not be late.
FAILURE_TIME = 3.0


class Maintenance:
    """The maintenance of one application. One object for all runs: its parts remember what they have done.

    forks: whether processes are forked from this one between two runs. Then a run leaves no connection open.
    is_behind: whether the last run left something to the next one, which should begin at once.
    database_mark: what the last run that succeeded found in the database, for the heartbeat.
    """

    def __init__(self, app: Flask, *, forks: bool = True) -> None:
        self.app = app
        self._forks = forks
        self.is_behind = False
        self.database_mark = ""
        self._next_round_at = 0.0
        self._unfinished: set[Task] = set()
        self._recovery = deliveries.Recovery(deliveries.WaitTracker())
        self._tasks = deque((*list_tasks(app_state(app).settings), *app_state(app).maintenance))

    def run(self) -> WorkerFault | Reason | None:
        """Run each part once. Right after a run that is behind, run only the parts that have not finished.

        Returns why the recovery of deliveries failed, or None if it succeeded.
        """
        fault: WorkerFault | Reason | None = WorkerFault.DATABASE
        was_behind, self.is_behind = self.is_behind, False
        with self.app.app_context():
            try:
                now = database_clock.now()
                delivery_ids = self._recovery.run(now, current_settings())
                self.database_mark = read_mark()
                fault, self.is_behind = None, self._recovery.is_behind
                _enqueue(delivery_ids)
                self._run_tasks(now, is_round=not was_behind or monotonic() >= self._next_round_at)
                self.is_behind |= bool(self._unfinished)
            except Exception as error:  # whatever happens in one run, the next one must run
                log.error("maintenance failed", extra={"error": type(error).__name__, "outage": describe_outage(error)})
                fault = fault and (find_reason(error) or fault)
            with suppress(Exception):
                db.session.remove()
                if self._forks:
                    db.engine.dispose()  # two processes must not share a connection
        return fault

    def _run_tasks(self, now: datetime, *, is_round: bool) -> None:
        """Run the parts after the recovery of deliveries. One that fails does not keep the others from running.

        The next run begins where one ends early, so that no part waits for ever behind one that always fails.
        is_round: whether all of them run, or only those that have not finished.
        """
        began_at = monotonic()
        if is_round:
            self._next_round_at = began_at + ROUND_INTERVAL
        chosen, self._unfinished = set(self._tasks) if is_round else self._unfinished, set()
        for _ in range(len(self._tasks)):
            task = self._tasks[0]
            self._tasks.rotate(-1)
            if task in chosen and not self._try(task, now) and monotonic() >= began_at + FAILURE_TIME:
                return

    def _try(self, task: Task, now: datetime) -> bool:
        """Run a part. Returns whether it succeeded."""
        try:
            if task(now) is True:
                self._unfinished.add(task)
        except Exception as error:
            facts = {"task": f"{task.__module__}.{task.__qualname__}", "error": type(error).__name__}
            log.error("maintenance task failed", extra=facts | {"outage": describe_outage(error)})
            with suppress(Exception):
                db.session.remove()
            return False
        return True


def list_tasks(settings: AppSettings) -> tuple[Task, ...]:
    """Return all parts after the recovery of deliveries, in their order."""
    indexing = SearchIndexing()

    def add_search_keys(_now: datetime) -> None:
        indexing.add_missing(settings.cipher)

    return (
        _recover_mails,
        PlannedTestRuns().run,
        deliveries.Retention(settings.keep_deliveries).delete_old_page,
        report_refused_sign_ins,
        delete_old_drafts,
        add_search_keys,
        delete_expired_links,
        delete_expired_account_links,
        delete_old_invitations,
        _delete_remains,
        AuditRetention(settings.keep_audit).delete_old_page,
        DrillRounds().run,
        NoticeRounds().run,
    )


def _delete_remains(_now: datetime) -> None:
    delete_remains()


def _enqueue(delivery_ids: Sequence[int]) -> None:
    try:
        enqueue_deliveries(*delivery_ids)
    except QueueUnavailable:
        log.warning("queue server unavailable, the next recovery pass tries again")


def _recover_mails(now: datetime) -> None:
    mail_ids = recover_account_mails(now)
    with suppress(QueueUnavailable):  # logged; they are enqueued again soon
        enqueue_account_mails(*mail_ids)
