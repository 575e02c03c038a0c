"""Logs unexpected errors of threads without their text, which Python would print."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from webapp.database.outages import describe_outage
from webapp.extensions import db

log = logging.getLogger(__name__)


@contextmanager
def log_thread_errors(kind: str, *ids: int) -> Iterator[None]:
    """Log only the type of an unexpected error, once for each id. kind: what the ids are of."""
    try:
        yield
    except Exception as error:
        with suppress(Exception):
            db.session.rollback()
        for subject in ids:
            fields = {kind: subject, "error": type(error).__name__, "outage": describe_outage(error)}
            log.error("unexpected error in a job, recovery ends the row", extra=fields)
