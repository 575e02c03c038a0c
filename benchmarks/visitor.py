"""Simulates a visitor's page without a browser: presses Send test and polls at the intervals of htmx."""

import re
import time
from dataclasses import dataclass

from benchmarks.installation.processes import Session

POLL_INTERVAL = re.compile(r'hx-trigger="every ([\d.]+)(ms|s)"')
SENT = 'data-last-test="sent"'
UNITS = {"ms": 0.001, "s": 1.0}

# Seconds within which the badge must be final.
TIME_LIMIT = 20.0


@dataclass(frozen=True)
class Press:
    """One press from the visitor's point of view.

    pressed, answered, visible: when the button was pressed, its response was read, and the final badge was read; in
        seconds of the monotonic clock.
    polls: the number of polls.
    """

    pressed: float
    answered: float
    visible: float
    polls: int


def press(session: Session, page: str) -> Press:
    """Press Send test on a destination's page and wait until its badge is Sent."""
    pressed = time.monotonic()
    fragment = session.post(f"{page}/test").text
    answered = swapped = time.monotonic()
    polls, current, tick = 0, 0.0, 0.0
    while (interval := read_poll_interval(fragment)) is not None:
        assert swapped < pressed + TIME_LIMIT, "the badge did not become final in time"
        if interval != current:  # a morph restarts the timer only if the attribute has changed
            current, tick = interval, swapped
        tick += current * (1 + (swapped - tick) // current)  # what fires during a poll is dropped
        time.sleep(max(0.0, tick - time.monotonic()))
        fragment = session.get(f"{page}/status").text
        swapped, polls = time.monotonic(), polls + 1
    assert SENT in fragment, "the badge is not Sent"
    return Press(pressed, answered, swapped, polls)


def read_poll_interval(fragment: str) -> float | None:
    """Return the seconds after which a fragment polls, or None if it is final."""
    found = POLL_INTERVAL.search(fragment)
    return float(found[1]) * UNITS[found[2]] if found else None
