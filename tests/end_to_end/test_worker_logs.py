"""A worker whose queue server is full, frozen or killed: it logs JSON only, and works again afterwards."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from signal import SIGTERM

import pytest
import redis

from benchmarks.installation import installation
from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import TIME_LIMIT, wait_until
from tests.forked_processes import installed
from tests.frozen import frozen
from webapp.models import DeliveryStatus

pytestmark = pytest.mark.slow

Trouble = Callable[[Installation], AbstractContextManager[None]]


@pytest.fixture
def site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(database_url, tmp_path_factory.mktemp("q")) as site:
        yield site


@pytest.fixture
def new_site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose processes start anew, so that their logs have what is written during the imports."""
    with installation.installed(database_url, tmp_path_factory.mktemp("q")) as site:
        yield site


@contextmanager
def _full(site: Installation) -> Iterator[None]:
    client = redis.Redis.from_url(site.queue_server.url)
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", 0)


@contextmanager
def _frozen(site: Installation) -> Iterator[None]:
    with frozen(site.queue_server.process.pid):
        yield


@contextmanager
def _killed(site: Installation) -> Iterator[None]:
    site.queue_server.process.kill()
    yield
    site.restart_queue_server()


def _plain_lines(site: Installation) -> list[str]:
    """Return the lines of all workers' output that are not JSON."""
    lines = [line for log in site.stack.logs.glob("worker*.log") for line in log.read_text().splitlines()]
    return [line for line in lines if not _is_json(line)]


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _send_one(site: Installation) -> None:
    destination = site.add_destination("/takes")
    site.enqueue(site.request_test(destination))
    wait_until(lambda: site.newest(destination).status is DeliveryStatus.SENT)


@pytest.mark.parametrize("trouble", [_full, _frozen, _killed])
def test_a_worker_logs_json_only_during_trouble_with_its_queue_and_works_afterwards(
    site: Installation, trouble: Trouble
) -> None:
    site.stack.start_worker()
    _send_one(site)
    pending = [site.request_test(site.add_destination("/takes")) for _ in range(3)]
    site.enqueue(*pending)

    with trouble(site):
        time.sleep(4)
        site.request_test(site.add_destination("/takes"))  # recovery enqueues it

    _send_one(site)
    wait_until(site.is_at_rest)
    assert _plain_lines(site) == []


def test_a_worker_started_while_its_queue_is_full_logs_json_only_and_works_once_there_is_space(
    new_site: Installation,
) -> None:
    with _full(new_site):
        new_site.stack.start_worker()
        time.sleep(4)

    _send_one(new_site)
    assert _plain_lines(new_site) == []


def test_a_worker_stopped_while_its_queue_is_full_logs_json_only(site: Installation) -> None:
    worker = site.stack.start_worker()
    _send_one(site)

    with _full(site):
        os.kill(worker.pid, SIGTERM)
        worker.process.wait(timeout=TIME_LIMIT)

    assert (worker.exit_code(), _plain_lines(site)) == (0, [])
