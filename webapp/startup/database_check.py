"""Logs why the database cannot be used when a web process starts."""

import logging
from threading import Thread

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.database.outage_reasons import describe_database
from webapp.database.outages import find_predicate
from webapp.database.revision import find_schema_problem
from webapp.startup.unpooled_engine import make_unpooled_engine

log = logging.getLogger(__name__)

# Seconds that a start waits for the check. A later result is still logged.
START_DELAY = 1.0


def log_database_problem(app: Flask) -> None:
    """Log why the database cannot be used, if it cannot. The process starts anyway: its pages say it too."""
    check = Thread(target=_check, args=(app,), name="checks the database", daemon=True)
    check.start()
    check.join(START_DELAY)


def _check(app: Flask) -> None:
    with app.app_context():
        reason = _find_problem()
    if reason:
        log.warning("the database cannot be used yet", extra={"reason": reason})


def _find_problem() -> str | None:
    """Return the sentence of what is wrong, or None."""
    try:
        with make_unpooled_engine().connect() as connection:
            problem = find_schema_problem(connection)
            return problem.sentence if problem else None
    except SQLAlchemyError as error:
        return describe_database(find_predicate(error))
