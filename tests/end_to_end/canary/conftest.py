"""An installation that says all it can, and the search for canaries in all of it."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.canaries import Canaries, Flock
from tests.end_to_end.canary.search_places import House
from tests.end_to_end.canary.verbose_logging import logging_everything
from tests.factories import SeededIds
from webapp.demo.receiver.http_server import HttpReceiver
from webapp.demo.receiver.inbox import Inbox


@pytest.fixture(autouse=True)
def everything_logged(tmp_path: Path) -> Iterator[None]:
    """From before the application is made: its engine asks the log level once."""
    with logging_everything(tmp_path / "everything.log"):
        yield


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def demo_end(tmp_path: Path) -> Iterator[HttpReceiver]:
    """The demo's receiver, which shows everybody what it got."""
    inbox = Inbox(tmp_path / "inbox.sqlite")
    inbox.prepare()
    with HttpReceiver(0, inbox, None) as receiver:
        Thread(target=receiver.serve_forever, args=(0.01,)).start()
        yield receiver
        receiver.shutdown()


@pytest.fixture
def environment(environment: dict[str, str], demo_end: HttpReceiver, tmp_path: Path) -> dict[str, str]:
    """The operator's settings, with the demo's pages."""
    receiver = f"http://127.0.0.1:{demo_end.server_address[1]}"
    return environment | {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": receiver,
    }


@pytest.fixture
def house(app: Flask, seeded: SeededIds, queue_server: QueueServer, tmp_path: Path) -> House:
    return House(app, seeded, queue_server, tmp_path)


@pytest.fixture
def search(house: House, canaries: Canaries, capfd: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Look for every canary in all that is kept, written and shown; return what was found, and where."""

    def find() -> list[str]:
        # The pages first: to show them is logged as well.
        pages = {f"pages of {who}": house.show_pages(who) for who in ("support", "viewer")}
        of_admin = {"pages of admin": house.show_pages("admin")}
        others = pages | house.open_up() | {"output": "".join(capfd.readouterr()).encode()}
        return _find(canaries.recipients, others) + _find(canaries.secrets, others | of_admin)

    return find


def _find(flock: Flock, places: dict[str, bytes]) -> list[str]:
    return [f"{place}: {find}" for place, content in places.items() for find in flock.find_in(content)]


@pytest.fixture
def signals_restored() -> Iterator[None]:
    """Give the process its signals back, which RQ's worker takes for itself."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
