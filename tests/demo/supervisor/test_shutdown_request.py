"""Stopping: asked at safe moments, and a second time for a hurry."""

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


def test_a_pause_without_a_signal_lasts_its_full_time(listening: ShutdownRequest) -> None:
    began = time.monotonic()
    listening.pause(0.15)
    assert time.monotonic() - began >= 0.15


def test_two_signals_at_once_are_not_a_second_request(listening: ShutdownRequest) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert not listening.hurry()


def test_a_later_second_signal_hurries_the_shutdown(
    listening: ShutdownRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown_request, "SECOND_THOUGHT", 0.0)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    assert listening.hurry()


def test_an_ignored_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ShutdownRequest().listen()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    signal.signal(signal.SIGHUP, before)
