"""Sends notices to destinations in a worker process: few at once, each in a thread, beside the deliveries."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from flask import Flask

from webapp.app_state import current_settings
from webapp.database.outages import describe_outage
from webapp.extensions import db
from webapp.notices.destination_sending import list_waiting_notices, send_notice
from webapp.worker.dispatcher import ConcurrencyLimits, Dispatcher, list_independent
from webapp.worker.thread_errors import log_thread_errors

log = logging.getLogger(__name__)

# A receiver that hangs holds each of them for 8 s. Those that cannot wait stay in the database for the next look.
LIMITS = ConcurrencyLimits(concurrent=4, per_workspace=4, waiting=200, waiting_per_workspace=200)

# Seconds between two looks for notices that wait. Every process looks; the claim decides which one sends.
INTERVAL = 3.0


@contextmanager
def sending_notices(app: Flask) -> Iterator[Dispatcher]:
    """Send the notices that wait, until the block ends. Those that are being sent then go on."""
    dispatcher = Dispatcher(list_independent, lambda notice_id: _send(app, notice_id), LIMITS)
    is_over = Event()
    looking = Thread(target=_look_regularly, args=(app, dispatcher, is_over), daemon=True)
    looking.start()
    try:
        yield dispatcher
    finally:
        is_over.set()
        dispatcher.close()  # a look that waits for room goes on
        looking.join(timeout=INTERVAL)


def _look_regularly(app: Flask, dispatcher: Dispatcher, is_over: Event) -> None:
    while not is_over.wait(INTERVAL):
        with app.app_context():
            submit_waiting(dispatcher)


def submit_waiting(dispatcher: Dispatcher) -> None:
    """Hand the notices that wait to the dispatcher."""
    try:
        waiting = list_waiting_notices()
    except Exception as error:  # the next look must come
        db.session.rollback()
        log.error("look for notices failed", extra={"error": type(error).__name__, "outage": describe_outage(error)})
        return
    db.session.remove()  # submitting may wait
    dispatcher.submit(*waiting)


def _send(app: Flask, notice_id: int) -> None:
    with app.app_context(), log_thread_errors("notice", notice_id):
        send_notice(notice_id, current_settings())
