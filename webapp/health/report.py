"""The readiness report: one line for each part, checked at most every two seconds, and by one request at a time."""

import math
import time
from collections.abc import Callable, Mapping
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from webapp import queue
from webapp.health.database import check_database
from webapp.health.database_mark import list_workers_here

OK = "ok"

# Seconds for which a report is current. Anyone may ask for it, and must not keep the database busy.
MAX_AGE = 2.0

# Seconds for which a request is shown the last report while another request checks. After them, it waits a little.
USABLE_AGE, FIRST_WAIT = 10.0, 0.5

# What each part shows while the first check runs.
_NOT_CHECKED = "unknown, because the first check has not ended"

Parts = Mapping[str, str]


def check_parts() -> Parts:
    """Check every part. Returns "ok" or the reason for each; only the part at fault is named."""
    database, outage = check_database(), queue.find_outage()
    queue_server = outage.value if outage else OK
    return {"database": database, "queue": queue_server, "worker": _check_worker(database, queue_server)}


def _check_worker(database: str, queue_server: str) -> str:
    """A worker shows that it is alive by a heartbeat in the queue server, after work in the database."""
    try:
        if queue.is_worker_alive():
            return _check_database_of_worker() if database == OK else OK
        fault = queue.find_fault()
    except queue.QueueUnavailable:
        return "unknown, because the queue server cannot be used"
    if queue_server != OK:
        return "unknown, because the queue server accepts no heartbeat"
    if database != OK:
        return "unknown, because its heartbeat needs the database"
    return fault or queue.NO_WORKER


def _check_database_of_worker() -> str:
    try:
        are_here = list_workers_here()
    except SQLAlchemyError:
        return "unknown, because its heartbeat is compared with the database"
    return queue.OTHER_DATABASE if are_here and not any(are_here) else OK


class SharedReport:
    """The newest report of one process. check: returns a new one. clock: seconds that nobody can set."""

    def __init__(self, check: Callable[[], Parts] = check_parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._clock = clock
        self._checking = Lock()
        self._parts: Parts | None = None
        self._checked_at = -math.inf

    def get(self) -> Parts:
        """Return the report, a new one if it is not current and nobody else is checking."""
        if self._is_younger_than(MAX_AGE):
            return self._parts or {}
        wait = 0.0 if self._is_younger_than(USABLE_AGE) else FIRST_WAIT
        if not self._checking.acquire(timeout=wait):
            return self._parts or dict.fromkeys(("database", "queue", "worker"), _NOT_CHECKED)
        try:
            if not self._is_younger_than(MAX_AGE):
                self._parts = self._check()
                self._checked_at = self._clock()
            return self._parts or {}
        finally:
            self._checking.release()

    def _is_younger_than(self, seconds: float) -> bool:
        return self._clock() - self._checked_at < seconds
