"""An installation that logs everything, and the search for canaries in all of its data."""

import logging
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.canaries import Canaries, CanaryFamily
from tests.end_to_end.canary.search_places import SearchedInstallation
from tests.end_to_end.canary.verbose_logging import logging_everything
from tests.factories import SeededIds
from webapp.demo.receiver.http_server import HttpReceiver
from webapp.demo.receiver.inboxes import Inboxes


@pytest.fixture(autouse=True)
def everything_logged(tmp_path: Path) -> Iterator[None]:
    """Log everything before the application is created, because its engine reads the log level once.

    The handlers of pytest, which would format each record twice more for nobody, get none.
    """
    handlers = logging.getLogger().handlers.copy()
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    with logging_everything(tmp_path / "everything.log"):
        yield
    for handler, level in zip(handlers, levels, strict=True):
        handler.setLevel(level)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def demo_receiver(tmp_path: Path) -> Iterator[HttpReceiver]:
    """The demo's receiver, whose messages everybody may read."""
    inboxes = Inboxes(tmp_path / "inbox.sqlite")
    inboxes.prepare()
    with HttpReceiver(0, inboxes, None) as receiver:
        Thread(target=receiver.serve_forever, args=(0.01,)).start()
        yield receiver
        receiver.shutdown()


@pytest.fixture
def environment(environment: dict[str, str], demo_receiver: HttpReceiver, tmp_path: Path) -> dict[str, str]:
    """The settings, with the demo's pages enabled."""
    receiver = f"http://127.0.0.1:{demo_receiver.server_address[1]}"
    return environment | {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_REAL_RECEIVERS": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": receiver,
    }


@pytest.fixture
def installation(app: Flask, seeded: SeededIds, queue_server: QueueServer, tmp_path: Path) -> SearchedInstallation:
    return SearchedInstallation(app, seeded, queue_server, tmp_path)


@dataclass(frozen=True)
class Places:
    """All that an installation has stored, logged, printed and shown. of_admin: the pages of an admin."""

    others: dict[str, bytes]
    of_admin: dict[str, bytes]

    def find(self, canaries: Canaries) -> list[str]:
        """Return each match with its place. An admin may see recipients."""
        return _find(canaries.recipients, self.others) + _find(canaries.secrets, self.others | self.of_admin)


@pytest.fixture
def read_places(installation: SearchedInstallation, capfd: pytest.CaptureFixture[str]) -> Callable[[], Places]:
    """Read everything that can be searched."""

    def read() -> Places:
        # Read the pages first, because reading them is logged as well.
        pages = {f"pages of {who}": installation.show_pages(who) for who in ("support", "viewer")}
        of_admin = {"pages of admin": installation.show_pages("admin")}
        output = {"output": "".join(capfd.readouterr()).encode()}
        return Places(pages | installation.read_everything() | output, of_admin)

    return read


@pytest.fixture
def search(read_places: Callable[[], Places], canaries: Canaries) -> Callable[[], list[str]]:
    """Search stored data, logs, output and pages for every canary. The search returns each match with its place."""
    return lambda: read_places().find(canaries)


def _find(family: CanaryFamily, places: dict[str, bytes]) -> list[str]:
    return [f"{place}: {match}" for place, content in places.items() for match in family.find_in(content)]


@pytest.fixture
def signals_restored() -> Iterator[None]:
    """Restore the signal handlers, which RQ's worker replaces."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
