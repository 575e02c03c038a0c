"""Keeps a worker from starting on a schema that is not the one it needs: it logs why, and waits."""

import logging
from contextlib import suppress
from threading import Event

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.database.outage_reasons import describe_database
from webapp.database.outages import Reason, find_predicate, find_reason
from webapp.database.revision import SchemaFault, find_schema_problem
from webapp.extensions import db
from webapp.queue import QueueUnavailable, WorkerFault, record_fault

log = logging.getLogger(__name__)

# Seconds between two looks at the schema.
CHECK_INTERVAL = 1.0

_FAULTS = {
    SchemaFault.OLDER: WorkerFault.SCHEMA_OLDER,
    SchemaFault.NEWER: WorkerFault.SCHEMA_NEWER,
    SchemaFault.UNKNOWN: WorkerFault.SCHEMA_UNKNOWN,
}

# Why the worker waits: for health checks, and as a sentence for the log.
Obstacle = tuple[WorkerFault | Reason, str]


def wait_for_schema(app: Flask, stop: Event) -> None:
    """Return when the database has the schema that this program needs, or when `stop` is set.

    It waits instead of ending: whatever starts the worker need not know about the migration, and nothing counts
    restarts.
    """
    shown = None
    while not stop.is_set():
        with app.app_context():
            obstacle = _find_obstacle()
            if obstacle is None:
                break
            fault, reason = obstacle
            with suppress(QueueUnavailable):
                record_fault(fault)
        if reason != shown:
            log.warning("worker waits for the database", extra={"reason": reason})
            shown = reason
        stop.wait(CHECK_INTERVAL)
    if shown and not stop.is_set():
        log.info("worker has waited for the database")


def _find_obstacle() -> Obstacle | None:
    try:
        problem = find_schema_problem(db.session.connection())
    except SQLAlchemyError as error:
        return find_reason(error) or WorkerFault.DATABASE, describe_database(find_predicate(error))
    finally:
        with suppress(Exception):  # the worker forks next, and two processes must not share a connection
            db.session.remove()
            db.engine.dispose()
    return (_FAULTS[problem.fault], problem.sentence) if problem else None
