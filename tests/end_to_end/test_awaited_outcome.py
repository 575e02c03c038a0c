"""A poll that waits in a web process is answered as soon as a worker has recorded the outcome."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import wait_until
from tests.databases import new_database
from tests.forked_processes import installed
from webapp import queue

pytestmark = pytest.mark.slow

# Seconds for which a request waits in these processes (long_wait_wsgi.py), if nothing is announced.
LONG = 120.0


def _is_poll_waiting(site: Installation) -> bool:
    return any(client["cmd"] == "xread" for client in queue.connect(site.queue_server.url).client_list())


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_one_poll_waits_for_the_outcome(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with (
        new_database(kind, request, tmp_path) as url,
        installed(url, tmp_path, f"{__package__}.long_wait_wsgi") as site,
        ThreadPoolExecutor(1) as pool,
    ):
        site.stack.start_worker()
        visitor, page = site.sign_in(), f"/w/harbor/destinations/{site.add_destination('/holds')}"
        assert 'data-last-test="pending"' in visitor.post(f"{page}/test").text
        poll = pool.submit(visitor.get, f"{page}/status")
        wait_until(lambda: _is_poll_waiting(site))
        wait_until(site.receiver.messages.total)
        released = time.monotonic()
        site.receiver.release.set()

        assert 'data-last-test="sent"' in poll.result().text
        assert time.monotonic() - released < LONG / 2
