"""Receivers for the tests of the far ends."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.receiver_process import Receiver, run_receiver


@pytest.fixture(autouse=True, scope="session")
def terminal() -> None:
    """Take a hang-up for what it is, also where the tests were started so that they outlive their terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="module")
def running_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with run_receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture
def receiver(running_receiver: Receiver) -> Receiver:
    """A receiver with an empty inbox; it remembers the attempts of earlier tests."""
    running_receiver.inbox.clear()
    return running_receiver


@pytest.fixture
def own_receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver that the test may stop."""
    with run_receiver(tmp_path) as running:
        yield running
