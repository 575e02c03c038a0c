"""The counters: completions are counted with known labels only, and counting never delays a delivery."""

import logging
import math
import socket
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from tests.queue_keys import key_of
from webapp import queue
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.channels import CHANNELS
from webapp.deliveries.completion_events import CompletionEvent
from webapp.failures import Code
from webapp.metrics import counters
from webapp.metrics.counters import (
    DURATION_BUCKETS,
    CompletionLabels,
    CountersUnavailable,
    count_completion,
    read_counters,
)
from webapp.models import DeliveryStatus
from webapp.settings import read_settings

NO_SERVER_URL = "redis://127.0.0.1:1"
SENT = CompletionLabels("webhook", "sent", "none")
NOT_FOUND = CompletionLabels("webhook", "failed", "not_found")


@pytest.fixture
def missing_queue(environment: dict[str, str]) -> Iterator[None]:
    """Push the context of an application whose queue server does not exist."""
    with create_app(read_settings(environment | {"REDIS_URL": NO_SERVER_URL})).app_context():
        yield


@pytest.fixture
def silent_queue(environment: dict[str, str]) -> Iterator[None]:
    """Push the context of an application whose queue server accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        with create_app(read_settings(environment | {"REDIS_URL": url})).app_context():
            yield


def _complete(channel: str, status: str, code: str | None, seconds: float) -> None:
    count_completion(CompletionEvent(1, "alerts.test", "accept", channel, status, code, seconds))


def _count(*seconds: float, channel: str = "webhook") -> None:
    for duration in seconds:
        _complete(channel, DeliveryStatus.SENT, None, duration)


def _cumulative(first_bound: float) -> tuple[int, ...]:
    return tuple(int(bound >= first_bound) for bound in DURATION_BUCKETS)


def test_the_counters_of_every_channel_start_at_zero(context: None) -> None:
    counts = read_counters()

    assert counts.completions == {}
    assert {sum(durations.counts) + durations.total for durations in counts.durations.values()} == {0}
    assert set(counts.durations) == {*CHANNELS, "other"}


def test_completions_are_counted_by_channel_status_and_code(context: None) -> None:
    _complete("webhook", DeliveryStatus.SENT, None, 1)
    _complete("webhook", DeliveryStatus.FAILED, Code.NOT_FOUND, 1)
    _complete("webhook", DeliveryStatus.FAILED, Code.NOT_FOUND, 1)

    assert read_counters().completions == {SENT: 1, NOT_FOUND: 2}


@pytest.mark.parametrize(
    ("seconds", "bound"), [(-3, 0.25), (0, 0.25), (0.25, 0.25), (0.2501, 0.5), (120, 120), (120.1, math.inf)]
)
def test_a_duration_is_counted_in_every_bucket_that_is_long_enough(context: None, seconds: float, bound: float) -> None:
    _count(seconds)

    assert read_counters().durations["webhook"].counts == _cumulative(bound)


def test_durations_add_up_by_channel(context: None) -> None:
    _count(0.5, 2.25)
    _count(7, channel="email")

    durations = read_counters().durations
    assert (durations["webhook"].total, durations["webhook"].counts[-1]) == (2.75, 2)
    assert (durations["email"].total, durations["email"].counts[-1]) == (7, 1)


def test_a_negative_duration_does_not_reduce_the_total(context: None) -> None:
    _count(2, -3600)

    assert read_counters().durations["webhook"].total == 2


@pytest.mark.parametrize("label", ["pigeon", "webhook|sent", "webhook\n", "\U0001f514", "x" * 10_000])
def test_an_unknown_label_is_counted_as_other(context: None, queue_server: QueueServer, label: str) -> None:
    _complete(label, label, label, 1)

    client = queue.connect(queue_server.url)
    assert client.hkeys(key_of(counters.COMPLETIONS_KEY)) == [b"other|other|other"]
    assert sorted(client.hkeys(key_of(counters.DURATIONS_KEY))) == [b"other|1.0", b"other|sum"]


def test_unknown_labels_of_another_version_are_read_as_other(context: None, queue_server: QueueServer) -> None:
    client = queue.connect(queue_server.url)
    client.hset(
        key_of(counters.COMPLETIONS_KEY), mapping={"pigeon|sent|none": 2, "smoke|sent|none": 3, "webhook|sent|none": 1}
    )
    client.hset(
        key_of(counters.DURATIONS_KEY),
        mapping={"pigeon|7.0": 2, "pigeon|sum": "13.5", "smoke|inf": 1, "smoke|sum": "200"},
    )

    counts = read_counters()

    assert counts.completions == {CompletionLabels("other", "sent", "none"): 5, SENT: 1}
    assert counts.durations["other"].counts[DURATION_BUCKETS.index(5.0) :] == (0, 2, 2, 2, 2, 2, 3)
    assert counts.durations["other"].total == 213.5


def test_known_labels_are_kept_unchanged(context: None) -> None:
    for code in Code:
        _complete("teams", DeliveryStatus.CANCELED, code, 1)

    assert read_counters().completions == {CompletionLabels("teams", "canceled", code): 1 for code in Code}


def test_completions_without_a_queue_server_are_not_counted_and_warned_of_once(
    missing_queue: None, caplog: pytest.LogCaptureFixture
) -> None:
    _count(*[1] * 50)

    assert caplog.record_tuples == [
        ("webapp.metrics.counters", logging.WARNING, "queue server unavailable, counting of completions pauses")
    ]


def test_many_completions_wait_only_once_for_a_silent_queue_server(silent_queue: None) -> None:
    began = time.monotonic()
    _count(*[1] * 50)

    assert time.monotonic() - began < 2


def test_completions_are_counted_again_after_the_pause(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "COUNTING_PAUSE", 0.2)
    with monkeypatch.context() as outage:
        outage.setattr(app_state(app), "redis", queue.connect(NO_SERVER_URL))
        _count(1)
    _count(1)
    time.sleep(0.2)
    _count(1)

    assert read_counters().completions == {SENT: 1}


def test_counters_that_cannot_be_read_raise_an_error(missing_queue: None) -> None:
    with pytest.raises(CountersUnavailable):
        read_counters()
