"""Pings the administrator's monitoring while the worker works."""

import logging
import time

from flask import Flask

from webapp import queue
from webapp.database.outages import describe_outage
from webapp.extensions import db
from webapp.models import database_clock
from webapp.pings.sending import send_due_pings
from webapp.worker.progress import Progress

log = logging.getLogger(__name__)

# Seconds between two looks for a ping that is due.
INTERVAL = 15.0


def ping_while_working(app: Flask, readiness: Progress) -> None:
    """Send the pings that are due for as long as this process takes jobs and its supervisor runs its maintenance."""
    while True:
        time.sleep(INTERVAL)
        if readiness.is_recent():
            with app.app_context():
                _ping()


def _ping() -> None:
    try:
        ping_if_working()
    except Exception as error:  # the next look must come
        db.session.rollback()
        log.error("ping failed", extra={"error": type(error).__name__, "outage": describe_outage(error)})


def ping_if_working() -> None:
    """Send the pings that are due if a worker has a heartbeat: only a worker that does all its work has one."""
    if queue.is_worker_alive():
        send_due_pings(database_clock.now())
