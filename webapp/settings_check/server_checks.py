"""Checks of the installation's own servers: the database with its schema and clock, the queue, and the workers."""

from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from webapp import queue
from webapp.database.outage_reasons import describe_database
from webapp.extensions import db
from webapp.health.database import check_database
from webapp.health.database_mark import list_workers_here
from webapp.health.report import OK
from webapp.models import database_clock
from webapp.settings_check.finding import Finding, Severity

# Seconds that this machine's clock may differ from the database's: certificates and logs use this machine's.
CLOCK_NOTE, CLOCK_PROBLEM = 5.0, 60.0

_NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}

_USE_UTF8 = (
    "It cannot store every name: create one with createdb --encoding UTF8 --template template0, restore a dump into "
    "it, and name it in DATABASE_URL."
)


def check_database_server() -> list[Finding]:
    """Connect to the database, try to write, and compare the clocks."""
    try:
        db.session.execute(select(1))
    except SQLAlchemyError:
        reason = _name_setting(check_database())
        return [
            Finding("database", Severity.PROBLEM, describe_database(reason)),
            Finding("schema", Severity.NOTE, "Not checked: the database cannot be used."),
            Finding("clock", Severity.NOTE, "Not checked: the database cannot be used."),
        ]
    return [_check_encoding(), _check_schema(), _check_clock()]


def _check_encoding() -> Finding:
    if db.engine.dialect.name == "postgresql":
        encoding = db.session.scalar(text("SHOW server_encoding"))
        if encoding != "UTF8":
            return Finding("database", Severity.PROBLEM, f"The database has the encoding {encoding}. {_USE_UTF8}")
    return Finding("database", Severity.OK, f"{_NAMES[db.engine.dialect.name]} accepts the connection.")


def _check_schema() -> Finding:
    reason = check_database()
    if reason != OK:
        return Finding("schema", Severity.PROBLEM, describe_database(reason))
    return Finding("schema", Severity.OK, "The schema fits this program, and the database accepts changes.")


def _check_clock() -> Finding:
    if db.engine.dialect.name == "sqlite":
        return Finding("clock", Severity.OK, "SQLite uses the clock of this machine.")
    return compare_clocks(datetime.now(UTC), database_clock.now())


def compare_clocks(here: datetime, there: datetime) -> Finding:
    """Compare this machine's clock with the database's."""
    seconds = (here - there).total_seconds()
    if abs(seconds) < CLOCK_NOTE:
        return Finding("clock", Severity.OK, "The clock of this machine agrees with the database's.")
    severity = Severity.PROBLEM if abs(seconds) >= CLOCK_PROBLEM else Severity.NOTE
    direction = "ahead of" if seconds > 0 else "behind"
    sentence = f"The clock of this machine is {abs(seconds):.0f} s {direction} the database's."
    return Finding("clock", severity, f"{sentence} Keep both in sync with NTP.")


def check_queue_server() -> list[Finding]:
    """Write a key that expires."""
    outage = queue.find_outage()
    if outage is None:
        return [Finding("queue", Severity.OK, "The queue server accepts the connection and writes.")]
    return [Finding("queue", Severity.PROBLEM, outage.sentence)]


def check_workers() -> list[Finding]:
    """Look for a worker's recent heartbeat. Having no worker is not a problem: it may not have been started yet."""
    try:
        is_alive, fault = queue.is_worker_alive(), queue.find_fault()
    except queue.QueueUnavailable:
        return [Finding("worker", Severity.NOTE, "Not checked: the queue server cannot be used.")]
    if is_alive and check_database() == OK and not all(list_workers_here()):
        return [Finding("worker", Severity.PROBLEM, f"Wrong database: {queue.OTHER_DATABASE}.")]
    if is_alive:
        return [Finding("worker", Severity.OK, "A worker does its work.")]
    if fault:
        return [Finding("worker", Severity.PROBLEM, f"No recent heartbeat: {fault}.")]
    return [Finding("worker", Severity.NOTE, queue.NO_WORKER)]


def _name_setting(reason: str) -> str:
    return reason if "DATABASE_URL" in reason else f"{reason}. Check DATABASE_URL"
