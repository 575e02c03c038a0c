"""A pool that gives back idle database connections, so that one process does not keep them from the others."""

import math
import time
from contextlib import suppress
from threading import Event, Lock, Thread, current_thread
from typing import Any

from sqlalchemy import QueuePool
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.queue import Empty

from webapp.database.request_timeouts import find_limit

# Seconds for which a pool keeps an idle connection, and for which it keeps the last one.
KEEP_IDLE, KEEP_LAST = 2.0, 30.0

# Seconds for which a pool that found no free connection keeps only one idle.
SHORTAGE = 10.0

# Seconds that a thread waits for another thread's connection after the server has refused a further one.
WAIT_FOR_OTHERS = 1.0

# Seconds between two checks for idle connections.
CHECK_INTERVAL = 0.5


class SharingPool(QueuePool):
    """Closes connections that have been idle for `KEEP_IDLE` seconds, and the last one after `KEEP_LAST`.

    Under load nothing is closed, so no request has to connect. If the server refuses a connection, there are too few:
    threads then share those that the process has, and for `SHORTAGE` seconds, a connection that is returned beside an
    idle one is closed at once.
    """

    # Its events are SQLAlchemy's: by the name of this module, the log would show each of them.
    _sqla_logger_namespace = "sqlalchemy.pool.SharingPool"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._short_until = -math.inf
        self._idle_since: dict[ConnectionPoolEntry, float] = {}
        self._closer: Thread | None = None
        self._closer_lock = Lock()
        self._is_disposed = Event()

    def _do_get(self) -> ConnectionPoolEntry:
        """Take an idle connection, or open one. If the server refuses, wait for one that another thread uses."""
        try:
            return super()._do_get()
        except PoolTimeout:
            raise
        except Exception:
            self._short_until = time.monotonic() + SHORTAGE
            limit = find_limit()
            wait = WAIT_FOR_OTHERS if limit is None else min(WAIT_FOR_OTHERS, limit)
            if self.checkedout() > 0 and wait > 0:
                with suppress(Empty):
                    return self._pool.get(timeout=wait)
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self.checkedin() and time.monotonic() < self._short_until:
            self._close(record)
            return
        self._idle_since[record] = time.monotonic()
        super()._do_return_conn(record)
        self._start_closer()

    def dispose(self) -> None:
        """Close all idle connections, and end the thread: the process may fork next."""
        self._is_disposed.set()
        with self._closer_lock:
            closer = self._closer
        if closer is not None and closer is not current_thread():
            closer.join()
        super().dispose()

    def _start_closer(self) -> None:
        with self._closer_lock:
            if self._closer is None and not self._is_disposed.is_set():
                self._closer = Thread(target=self._close_idle, name="closes idle connections", daemon=True)
                self._closer.start()

    def _close_idle(self) -> None:
        """Close idle connections until there are none."""
        while not self._is_disposed.wait(CHECK_INTERVAL):
            self._close_old(time.monotonic())
            with self._closer_lock:
                if not self.checkedin():
                    self._closer = None
                    return

    def _close_old(self, now: float) -> None:
        old = []
        for position, record in reversed(list(enumerate(self._take_idle()))):
            if now - self._idle_since[record] < (KEEP_IDLE if position else KEEP_LAST):
                super()._do_return_conn(record)
            else:
                old.append(record)
        for record in old:  # closing takes a while, so it comes after the others are back
            self._close(record)

    def _take_idle(self) -> list[ConnectionPoolEntry]:
        """Take all idle connections out of the pool, the one used last first.

        Until they are put back, a thread may open another one.
        """
        idle = []
        try:
            while True:
                idle.append(self._pool.get(block=False))
        except Empty:
            return idle

    def _close(self, record: ConnectionPoolEntry) -> None:
        self._idle_since.pop(record, None)
        try:
            record.close()
        finally:
            self._dec_overflow()
