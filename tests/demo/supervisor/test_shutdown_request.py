"""Stopping: asked at safe moments, and forced by a second signal."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from webapp.demo.supervisor import shutdown_request
from webapp.demo.supervisor.shutdown_request import ShutdownRequest, ShutdownRequested

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def listening() -> Iterator[ShutdownRequest]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    listening = ShutdownRequest()
    listening.listen()
    yield listening
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_next_pause(listening: ShutdownRequest, number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    with pytest.raises(ShutdownRequested):
        listening.pause(10)


def test_a_pause_without_a_signal_lasts(listening: ShutdownRequest) -> None:
    began = time.monotonic()
    listening.pause(0.15)
    assert time.monotonic() - began >= 0.15


def test_the_same_signal_by_two_ways_forces_nothing(listening: ShutdownRequest) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert not listening.is_forced()


def test_a_later_second_signal_forces_the_shutdown(listening: ShutdownRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown_request, "FORCE_AFTER", 0.0)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    assert listening.is_forced()


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ShutdownRequest().listen()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    signal.signal(signal.SIGHUP, before)
