"""Running receivers for the tests of the demo."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.receiver_process import Receiver, run_receiver


@pytest.fixture(autouse=True, scope="session")
def terminal() -> None:
    """Restore the default action of SIGHUP, which `nohup` would have disabled for the tests."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="module")
def running_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with run_receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture
def receiver(running_receiver: Receiver) -> Receiver:
    """A receiver with an empty inbox. It still counts the attempts of earlier tests."""
    running_receiver.inbox.clear()
    running_receiver.inbox.switches.clear()
    return running_receiver


@pytest.fixture
def own_receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver for this test alone, which may stop it."""
    with run_receiver(tmp_path) as running:
        yield running
