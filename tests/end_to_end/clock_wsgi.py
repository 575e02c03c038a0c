"""The application under a wall clock that a test can set: a file tells by how many seconds it is ahead."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from wsgi import app

__all__ = ["app"]

AHEAD = Path(os.environ["CLOCK_AHEAD"])
STARTED, STEADY = datetime.now(UTC), time.monotonic()  # time-machine leaves the monotonic clock alone


def follow() -> None:
    """Set the clock whenever the file says something new."""
    ahead, travel = 0.0, None
    while True:
        told = float(AHEAD.read_text())
        if told != ahead:
            if travel is not None:
                travel.stop()
            true_time = STARTED + timedelta(seconds=time.monotonic() - STEADY)
            travel = time_machine.travel(true_time + timedelta(seconds=told), tick=True)
            travel.start()
            ahead = told
        time.sleep(0.05)


def start_following() -> None:
    """Follow in this process; a fork has no thread of its parent's."""
    threading.Thread(target=follow, daemon=True).start()


start_following()
os.register_at_fork(after_in_child=start_following)
