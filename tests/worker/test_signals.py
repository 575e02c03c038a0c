"""Stop signals are deferred until a critical section ends."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from webapp.worker.signals import defer_signals


@pytest.fixture
def stops() -> Iterator[list[int]]:
    """The stop signals that were handled, as RQ would handle them."""
    handled: list[int] = []
    previous = signal.signal(signal.SIGTERM, lambda number, _frame: handled.append(number))
    yield handled
    signal.signal(signal.SIGTERM, previous)


def test_stop_signals_are_deferred_during_a_send_although_other_threads_run(stops: list[int]) -> None:
    done = threading.Event()
    other_thread = threading.Thread(target=done.wait)
    other_thread.start()
    with defer_signals():
        for _ in range(2):
            subprocess.run(["kill", "-TERM", str(os.getpid())], check=True)
        time.sleep(0.2)
        handled_inside = list(stops)
    done.set()
    other_thread.join()

    assert (handled_inside, stops) == ([], [signal.SIGTERM])
