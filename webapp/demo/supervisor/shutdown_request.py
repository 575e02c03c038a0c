"""Records Ctrl-C, SIGTERM and SIGHUP for checks at safe moments, so that no child process is lost half-started."""

import signal
import time
from types import FrameType

# Seconds after the first signal from which another one forces the shutdown. An earlier one is a duplicate: make and the
# terminal both pass on the same Ctrl-C.
FORCE_AFTER = 1.0


class ShutdownRequested(Exception):
    """A signal requested the shutdown of the demo."""


class ShutdownRequest:
    """Whether a shutdown was requested, and whether it was requested twice."""

    def __init__(self) -> None:
        self.requested_at: float | None = None
        self.forced = False

    def listen(self) -> None:
        """Handle the three signals. A SIGHUP that is ignored already (nohup) stays ignored."""
        signal.signal(signal.SIGINT, self._handle_signal)
        signal.signal(signal.SIGTERM, self._handle_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._handle_signal)

    def pause(self, seconds: float) -> None:
        """Wait. Raises `ShutdownRequested` as soon as a shutdown is requested."""
        deadline = time.monotonic() + seconds
        while self.requested_at is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.1))
        raise ShutdownRequested

    def is_forced(self) -> bool:
        """Return whether the shutdown was requested twice."""
        return self.forced

    def _handle_signal(self, _signal: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.requested_at is None:
            self.requested_at = now
        elif now - self.requested_at > FORCE_AFTER:
            self.forced = True
