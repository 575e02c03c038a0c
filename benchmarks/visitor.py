"""A visitor's tab without a browser: it presses Send test and asks again as often as htmx would."""

import re
import time
from dataclasses import dataclass

from benchmarks.installation.processes import Session

PACE = re.compile(r'hx-trigger="every ([\d.]+)(ms|s)"')
SENT = 'data-last-test="sent"'
UNITS = {"ms": 0.001, "s": 1.0}
PATIENCE = 20.0
"""Seconds within which the badge has to be final."""


@dataclass(frozen=True)
class Press:
    """What a visitor saw of one press.

    pressed, answered, visible: when the button was pressed, its answer was read, and the final badge was; in seconds of
        the monotonic clock.
    polls: how often the page asked again.
    """

    pressed: float
    answered: float
    visible: float
    polls: int


def press(session: Session, page: str) -> Press:
    """Press Send test on a destination's page and wait until its badge says Sent."""
    pressed = time.monotonic()
    fragment = session.post(f"{page}/test").text
    answered = swapped = time.monotonic()
    polls, pace, tick = 0, 0.0, 0.0
    while (asked := read_pace(fragment)) is not None:
        assert swapped < pressed + PATIENCE, "the badge did not become final in time"
        if asked != pace:  # a morph starts the clock anew only where the attribute has changed
            pace, tick = asked, swapped + asked
        fires = max(tick, swapped)  # what came due during a poll is made up for once, at its end
        time.sleep(max(0.0, fires - time.monotonic()))
        tick += pace * (1 + (fires - tick) // pace)
        fragment = session.get(f"{page}/status").text
        swapped, polls = time.monotonic(), polls + 1
    assert SENT in fragment, "the badge does not say Sent"
    return Press(pressed, answered, swapped, polls)


def read_pace(fragment: str) -> float | None:
    """Read after how many seconds a fragment asks again, or None if it is final."""
    found = PACE.search(fragment)
    return float(found[1]) * UNITS[found[2]] if found else None
