"""The application with a wall clock that a test can set: a file holds the seconds by which it is ahead."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from wsgi import app

__all__ = ["app"]

AHEAD_FILE = Path(os.environ["CLOCK_AHEAD"])
STARTED, MONOTONIC = datetime.now(UTC), time.monotonic()  # time-machine leaves the monotonic clock alone


def follow_file() -> None:
    """Set the clock whenever the file changes."""
    ahead, travel = 0.0, None
    while True:
        wanted = float(AHEAD_FILE.read_text() or ahead)  # the file is empty for a moment while a test writes it
        if wanted != ahead:
            if travel is not None:
                travel.stop()
            true_time = STARTED + timedelta(seconds=time.monotonic() - MONOTONIC)
            travel = time_machine.travel(true_time + timedelta(seconds=wanted), tick=True)
            travel.start()
            ahead = wanted
        time.sleep(0.05)


def start_following() -> None:
    """Start the thread; a forked process needs its own."""
    threading.Thread(target=follow_file, daemon=True).start()


start_following()
os.register_at_fork(after_in_child=start_following)
