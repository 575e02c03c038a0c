"""Ctrl-C, SIGTERM and SIGHUP as a question asked at safe moments, so that no child is lost half-started."""

import signal
import time
from types import FrameType

SECOND_THOUGHT = 1.0
"""Seconds after which another signal is a person in a hurry; before, make and the terminal both passed on the first."""


class ShutdownRequested(Exception):
    """Somebody wants everything to stop."""


class ShutdownRequest:
    """Counts what the outside asks for."""

    def __init__(self) -> None:
        self.asked_at: float | None = None
        self.in_a_hurry = False

    def listen(self) -> None:
        """Take the three signals; a SIGHUP that is ignored already (nohup) stays so."""
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._note)

    def pause(self, seconds: float) -> None:
        """Wait; raise `ShutdownRequested` as soon as somebody wants to stop."""
        deadline = time.monotonic() + seconds
        while self.asked_at is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))
        raise ShutdownRequested

    def hurry(self) -> bool:
        """Say whether somebody asked twice."""
        return self.in_a_hurry

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.asked_at is None:
            self.asked_at = now
        elif now - self.asked_at > SECOND_THOUGHT:
            self.in_a_hurry = True
