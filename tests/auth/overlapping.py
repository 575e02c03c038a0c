"""Runs two changes so that the second one begins while the transaction of the first is still open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

from flask import Flask

from webapp.extensions import db

# Seconds for which the first transaction stays open, unless the second change is over before.
OVERLAP = 0.3


def run_overlapping(app: Flask, first: Callable[[], object], second: Callable[[], object]) -> list[Exception | None]:
    """Run and commit both, each in its own thread. Returns what each raised."""
    is_first_done, may_commit = Event(), Event()

    def run_first() -> None:
        first()
        db.session.flush()
        is_first_done.set()
        may_commit.wait(60)

    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(run_alone, app, run_first)
        is_first_done.wait(60)
        following = threads.submit(run_alone, app, second)
        wait([following], timeout=OVERLAP)
        may_commit.set()
        return [running.result(), following.result()]


def run_alone(app: Flask, change: Callable[[], object]) -> Exception | None:
    """Run and commit a change in a context of its own. Returns what it raised."""
    with app.app_context():
        try:
            change()
            db.session.commit()
        except Exception as error:
            db.session.rollback()
            return error
    return None
