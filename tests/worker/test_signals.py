"""Stop signals wait for the end of a critical section."""

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
    """Signals to stop that were handled, as RQ would handle them."""
    handled: list[int] = []
    usual = signal.signal(signal.SIGTERM, lambda number, _frame: handled.append(number))
    yield handled
    signal.signal(signal.SIGTERM, usual)


def test_signals_to_stop_wait_for_the_send_in_hand_although_other_threads_run(stops: list[int]) -> None:
    done = threading.Event()
    bystander = threading.Thread(target=done.wait)
    bystander.start()
    with defer_signals():
        for _ in range(2):
            subprocess.run(["kill", "-TERM", str(os.getpid())], check=True)
        time.sleep(0.2)
        handled_inside = list(stops)
    done.set()
    bystander.join()

    assert (handled_inside, stops) == ([], [signal.SIGTERM])
