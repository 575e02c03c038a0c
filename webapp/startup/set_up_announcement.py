"""Logs the set-up link of a new installation when a web process starts, as soon as the database can be used.

It is the one secret that stands in a log. The first account ends it.
"""

import logging
import time
from datetime import datetime
from threading import Event, Thread

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.app_state import app_state, current_settings
from webapp.auth.set_up_links import SetUpOffer, is_new_installation, make_address, offer_link
from webapp.database.revision import find_schema_problem
from webapp.environment.installed_program import COMMAND
from webapp.models.database_clock import DatabaseClock
from webapp.startup.unpooled_engine import make_unpooled_engine

log = logging.getLogger(__name__)

# Seconds between two tries, for as long as the database cannot be used or is not migrated.
RETRY_DELAY = 3.0

# Seconds that a start waits for the first try. A later result is still logged.
START_DELAY = 1.0

NEW_LINK = f"For a new link, run: {COMMAND} setup-link"


def announce_set_up_link(app: Flask) -> None:
    """Log the link of a new installation, or that another process has logged it. Never keeps a process from starting.

    A demo has no use for one.
    """
    if app_state(app).settings.demo is not None:
        return
    has_tried = Event()
    Thread(target=_announce, args=(app, has_tried), name="announces the set-up link", daemon=True).start()
    has_tried.wait(START_DELAY)


def _announce(app: Flask, has_tried: Event) -> None:
    with app.app_context():
        engine = make_unpooled_engine()
        while not _try_to_announce(engine):
            has_tried.set()
            time.sleep(RETRY_DELAY)
        has_tried.set()


def _try_to_announce(engine: Engine) -> bool:
    """Log what there is to log. Returns whether the database could be used."""
    try:
        with engine.connect() as connection:
            if find_schema_problem(connection) is not None:
                return False
        clock = DatabaseClock()
        clock.follow(engine)
        with Session(engine) as session:
            session.connection()  # samples the clock
            _announce_in(session, clock.estimate())
    except SQLAlchemyError:
        return False  # said by `webapp.startup.database_check`
    return True


def _announce_in(session: Session, now: datetime) -> None:
    if current_settings().links.public_url is not None:
        _log_offer(offer_link(session, now))
    elif is_new_installation(session):
        advice = f"Set ALERTCHECK_PUBLIC_URL and restart, or run: {COMMAND} setup-link"
        log.warning("no account exists yet", extra={"advice": advice})


def _log_offer(offer: SetUpOffer | None) -> None:
    if offer is None:
        return
    until = offer.expires_at.isoformat(timespec="seconds")
    if offer.token is None:
        advice = f"It is in an earlier line, of this log or another web server's. {NEW_LINK}"
        log.warning("no account exists yet, and a set-up link works already", extra={"until": until, "advice": advice})
        return
    log.warning(
        "no account exists yet: open the set-up link to make the first one",
        extra={"link": make_address(offer.token), "until": until, "advice": f"It works once. {NEW_LINK}"},
    )
