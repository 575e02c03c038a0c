"""Shutdown by signal: checked at safe moments; a second signal hurries it."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from webapp.demo.supervisor import shutdown_request
from webapp.demo.supervisor.shutdown_request import ShutdownRequest, ShutdownRequested

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def shutdown() -> Iterator[ShutdownRequest]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    shutdown = ShutdownRequest()
    shutdown.listen()
    yield shutdown
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_next_pause(shutdown: ShutdownRequest, number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    with pytest.raises(ShutdownRequested):
        shutdown.pause(10)


def test_a_pause_without_a_signal_lasts_its_full_time(shutdown: ShutdownRequest) -> None:
    began = time.monotonic()
    shutdown.pause(0.15)
    assert time.monotonic() - began >= 0.15


def test_two_signals_at_once_are_not_a_second_request(shutdown: ShutdownRequest) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert not shutdown.is_forced()


def test_a_later_second_signal_hurries_the_shutdown(shutdown: ShutdownRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown_request, "FORCE_AFTER", 0.0)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    assert shutdown.is_forced()


def test_an_ignored_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ShutdownRequest().listen()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    signal.signal(signal.SIGHUP, before)
