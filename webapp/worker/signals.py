"""Defers stop signals until a critical section has ended."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def stop_on_hangup() -> None:
    """Let SIGHUP, which a terminal sends when it is closed, do what SIGTERM does, unless `nohup` made it ignored."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _number, _frame: signal.raise_signal(signal.SIGTERM))


@contextmanager
def defer_signals(immediately: Callable[[], object] = lambda: None, pass_on: bool = True) -> Iterator[None]:
    """Defer stop signals to the end of the block: RQ's handler talks to Redis, which may be unavailable too.

    immediately: called as soon as a signal arrives.
    pass_on: handle the signal after the block; False where the block itself is the shutdown.
    Masking would not work: the kernel delivers to another thread, and Python runs the handler in the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deferred: set[int] = set()

    def defer(number: int, _frame: FrameType | None) -> None:
        deferred.add(number)
        immediately()

    handlers = {stop: signal.signal(stop, defer) for stop in STOP_SIGNALS}
    try:
        yield
    finally:
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        for number in deferred if pass_on else ():
            signal.raise_signal(number)
