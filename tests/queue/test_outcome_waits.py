"""Requests that wait for an outcome: an announcement ends the wait, and nothing makes it longer than its limit."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from benchmarks.installation.processes import wait_until
from benchmarks.installation.servers import QueueServer, start_queue_server
from tests.frozen import frozen
from webapp import queue
from webapp.queue import outcome_waits
from webapp.queue.outcome_waits import ANNOUNCEMENT_TTL, LONGEST_WAIT, MAX_WAITS, OPTIONS, OutcomeWaits

# Seconds of a wait that only an announcement ends in time.
LONG = 50.0

# Seconds within which a wait ends by itself, on a busy machine.
SOON = 10.0


def _open(url: str, **options: float) -> OutcomeWaits:
    return OutcomeWaits(queue.connect(url, **(OPTIONS | options)), "alertcheck")


@pytest.fixture
def waits(queue_server: QueueServer) -> OutcomeWaits:
    queue.connect(queue_server.url).flushall()
    return _open(queue_server.url)


@pytest.fixture
def long_waits(queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch) -> OutcomeWaits:
    """Waits that end by an announcement, or after much longer than a test may take."""
    queue.connect(queue_server.url).flushall()
    monkeypatch.setattr(outcome_waits, "LONGEST_WAIT", LONG)
    return _open(queue_server.url, socket_timeout=2 * LONG)


def _announce(queue_server: QueueServer, delivery_id: int) -> None:
    client = queue.connect(queue_server.url)
    with client.pipeline() as pipeline:
        OutcomeWaits(client, "alertcheck").announce(delivery_id, pipeline)
        pipeline.execute()


def _measure(wait: Callable[[], object]) -> float:
    began = time.monotonic()
    wait()
    return time.monotonic() - began


def _leave() -> None:
    """Hold nothing."""


@contextmanager
def _waiting(waits: OutcomeWaits, queue_server: QueueServer, count: int) -> Iterator[list[Future[bool]]]:
    """Let so many requests wait for delivery 1 inside a `with`, and announce it at the end."""
    left = [Event() for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(waits.wait, 1, event.set) for event in left]
        for event in left:
            assert event.wait(SOON)
        yield futures
        _announce(queue_server, 1)


def test_an_announcement_ends_the_wait_of_every_request(long_waits: OutcomeWaits, queue_server: QueueServer) -> None:
    began = time.monotonic()
    with _waiting(long_waits, queue_server, 2) as futures:
        wait_until(lambda: queue.connect(queue_server.url).info("clients")["blocked_clients"] == 2)

    assert [future.result() for future in futures] == [True, True]
    assert time.monotonic() - began < LONG


def test_an_announcement_before_the_wait_ends_it_at_once(long_waits: OutcomeWaits, queue_server: QueueServer) -> None:
    _announce(queue_server, 1)

    assert _measure(lambda: long_waits.wait(1, _leave)) < SOON
    assert _measure(lambda: long_waits.wait(1, _leave)) < SOON


def test_a_wait_without_announcement_ends_by_itself(waits: OutcomeWaits, queue_server: QueueServer) -> None:
    _announce(queue_server, 2)  # of another delivery

    assert LONGEST_WAIT <= _measure(lambda: waits.wait(1, _leave)) < SOON


def test_an_announcement_is_kept_for_a_few_seconds(waits: OutcomeWaits, queue_server: QueueServer) -> None:
    _announce(queue_server, 1)

    client = queue.connect(queue_server.url)
    (key,) = client.keys("*")
    assert 0 < client.ttl(key) <= ANNOUNCEMENT_TTL


def test_one_request_too_many_does_not_wait(long_waits: OutcomeWaits, queue_server: QueueServer) -> None:
    left = Event()
    with _waiting(long_waits, queue_server, MAX_WAITS):
        assert not long_waits.has_place()
        assert not long_waits.wait(1, left.set)
    assert not left.is_set()
    assert long_waits.has_place()
    assert long_waits.wait(1, left.set)


def test_a_request_that_cannot_leave_its_place_in_the_database_gives_back_its_place_here(waits: OutcomeWaits) -> None:
    for _ in range(MAX_WAITS):
        with pytest.raises(ZeroDivisionError):
            waits.wait(1, lambda: 1 / 0)

    assert waits.has_place()


def test_without_a_queue_server_requests_stop_waiting_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = _open("redis://127.0.0.1:1")

    assert waits.wait(1, _leave)
    assert not waits.wait(1, _leave)
    assert not waits.has_place()

    later = time.monotonic() + outcome_waits.PAUSE
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert waits.has_place()


def test_a_frozen_queue_server_makes_no_request_wait_longer(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = start_queue_server(tmp_path_factory.mktemp("queue"))
    waits = _open(server.url)
    waits.wait(1, _leave)

    with frozen(server.process.pid), ThreadPoolExecutor(1) as pool:
        assert _measure(lambda: pool.submit(waits.wait, 1, _leave).result(SOON)) < SOON
        assert not waits.wait(1, _leave)
    server.stop()


def test_a_queue_server_that_freezes_during_the_wait_does_not_make_it_longer(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = start_queue_server(tmp_path_factory.mktemp("queue"))
    waits = _open(server.url)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(waits.wait, 1, _leave)
        with frozen(server.process.pid):
            assert future.result(SOON)
    server.stop()
