"""The time that hosts compare: the database's clock, because the clocks of two hosts may be minutes apart.

Every time that is stored in a row or compared with a row's time comes from here. SQLite has no clock of its own and
serves one host, so there it is the host's.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from webapp.app_state import app_state
from webapp.extensions import db

# A time that another host stored may be this far ahead.
CLOCK_TOLERANCE = timedelta(minutes=5)

# Seconds for which a sample is used before the next connection takes another.
SAMPLE_INTERVAL = 1.0


@dataclass(frozen=True)
class _Sample:
    """The server's time at a moment of the monotonic clock."""

    server_time: datetime
    taken_at: float


class DatabaseClock:
    """Follows the clock of a PostgreSQL server from samples, by a monotonic clock that nobody can set.

    A connection that is taken from the pool reads the server's clock if the last sample is older than
    `SAMPLE_INTERVAL`. Nothing else asks the server, so no request has a query of its own for the time.
    monotonic: returns seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._follows_server = False
        self._sample: _Sample | None = None

    def follow(self, engine: Engine) -> None:
        """Use the clock of this engine's server from now on."""
        if engine.dialect.name == "postgresql":
            self._follows_server = True
            event.listen(engine, "checkout", self._sample_if_old)

    def now(self) -> datetime:
        """Return the time. Connects to the database if this process has not used it yet, and raises its error."""
        if self._follows_server and self._sample is None:
            db.session.connection()
        return self.estimate()

    def estimate(self) -> datetime:
        """Return the time without using the database: without any sample, the host's."""
        sample = self._sample
        if sample is None:
            return datetime.now(UTC)
        return sample.server_time + timedelta(seconds=self._monotonic() - sample.taken_at)

    def _sample_if_old(self, connection: DBAPIConnection, *_rest: object) -> None:
        if self._sample is None or self._monotonic() - self._sample.taken_at >= SAMPLE_INTERVAL:
            self._sample = self._take_sample(connection)

    def _take_sample(self, connection: DBAPIConnection) -> _Sample:
        # The transaction that a ping began could be no snapshot any more. After a rollback, the driver would forget
        # what it has prepared.
        connection.commit()
        asked_at, autocommit = self._monotonic(), connection.autocommit
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:  # type: ignore[attr-defined]
                (server_time,) = cursor.execute("SELECT clock_timestamp()").fetchone()
        finally:
            if not connection.closed:
                connection.autocommit = autocommit
        return _Sample(server_time.astimezone(UTC), (asked_at + self._monotonic()) / 2)


def now() -> datetime:
    """Return the time of the current application's database. See `DatabaseClock.now`."""
    return app_state().clock.now()


def estimate() -> datetime:
    """Return the time of the current application's database, without using it. See `DatabaseClock.estimate`."""
    return app_state().clock.estimate()
