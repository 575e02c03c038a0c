"""The tallies: what is counted is told again, in known words alone, and nobody waits for it."""

import logging
import math
import socket
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from webapp import queue
from webapp.application import create_app
from webapp.deliveries.completion_events import CompletionEvent
from webapp.extensions import app_state
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

NOWHERE = "redis://127.0.0.1:1"
WELL = CompletionLabels("webhook", "sent", "none")
BADLY = CompletionLabels("webhook", "failed", "not_found")


@pytest.fixture
def absent_queue(environment: dict[str, str]) -> Iterator[None]:
    """Be inside an application whose queue server is gone."""
    with create_app(read_settings(environment | {"REDIS_URL": NOWHERE})).app_context():
        yield


@pytest.fixture
def silent_queue(environment: dict[str, str]) -> Iterator[None]:
    """Be inside an application whose queue server takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        with create_app(read_settings(environment | {"REDIS_URL": url})).app_context():
            yield


def _complete(channel: str, status: str, code: str | None, seconds: float) -> None:
    count_completion(CompletionEvent(1, "accept", channel, status, code, seconds))


def _count(*seconds: float, channel: str = "webhook") -> None:
    for took in seconds:
        _complete(channel, DeliveryStatus.SENT, None, took)


def _cumulative(first_bound: float) -> tuple[int, ...]:
    return tuple(int(bound >= first_bound) for bound in DURATION_BUCKETS)


def test_where_nothing_was_counted_every_channel_stands_at_nothing(context: None) -> None:
    counts = read_counters()

    assert counts.completions == {}
    assert {sum(durations.counts) + durations.total for durations in counts.durations.values()} == {0}
    assert set(counts.durations) == {"email", "slack", "teams", "webhook", "other"}


def test_endings_are_counted_by_channel_status_and_code(context: None) -> None:
    _complete("webhook", DeliveryStatus.SENT, None, 1)
    _complete("webhook", DeliveryStatus.FAILED, Code.NOT_FOUND, 1)
    _complete("webhook", DeliveryStatus.FAILED, Code.NOT_FOUND, 1)

    assert read_counters().completions == {WELL: 1, BADLY: 2}


@pytest.mark.parametrize(
    ("seconds", "bound"), [(-3, 0.25), (0, 0.25), (0.25, 0.25), (0.2501, 0.5), (120, 120), (120.1, math.inf)]
)
def test_a_duration_counts_in_every_bucket_that_is_not_too_short(context: None, seconds: float, bound: float) -> None:
    _count(seconds)

    assert read_counters().durations["webhook"].counts == _cumulative(bound)


def test_durations_add_up_by_channel(context: None) -> None:
    _count(0.5, 2.25)
    _count(7, channel="email")

    durations = read_counters().durations
    assert (durations["webhook"].total, durations["webhook"].counts[-1]) == (2.75, 2)
    assert (durations["email"].total, durations["email"].counts[-1]) == (7, 1)


def test_a_duration_that_a_set_back_clock_made_negative_takes_nothing_away(context: None) -> None:
    _count(2, -3600)

    assert read_counters().durations["webhook"].total == 2


@pytest.mark.parametrize("word", ["pigeon", "webhook|sent", "webhook\n", "\U0001f514", "x" * 10_000])
def test_a_word_that_is_not_known_is_not_kept(context: None, queue_server: QueueServer, word: str) -> None:
    _complete(word, word, word, 1)

    client = queue.connect(queue_server.url)
    assert client.hkeys(counters.COMPLETIONS_KEY) == [b"other|other|other"]
    assert sorted(client.hkeys(counters.DURATIONS_KEY)) == [b"other|1.0", b"other|sum"]


def test_what_another_version_counted_in_its_own_words_is_told_in_ours(
    context: None, queue_server: QueueServer
) -> None:
    client = queue.connect(queue_server.url)
    client.hset(counters.COMPLETIONS_KEY, mapping={"pigeon|sent|none": 2, "smoke|sent|none": 3, "webhook|sent|none": 1})
    client.hset(
        counters.DURATIONS_KEY, mapping={"pigeon|7.0": 2, "pigeon|sum": "13.5", "smoke|inf": 1, "smoke|sum": "200"}
    )

    counts = read_counters()

    assert counts.completions == {CompletionLabels("other", "sent", "none"): 5, WELL: 1}
    assert counts.durations["other"].counts[DURATION_BUCKETS.index(5.0) :] == (0, 2, 2, 2, 2, 2, 3)
    assert counts.durations["other"].total == 213.5


def test_all_known_words_are_kept_as_they_are(context: None) -> None:
    for code in Code:
        _complete("teams", DeliveryStatus.CANCELED, code, 1)

    assert read_counters().completions == {CompletionLabels("teams", "canceled", code): 1 for code in Code}


def test_a_delivery_that_ends_without_a_queue_server_goes_uncounted_with_one_warning(
    absent_queue: None, caplog: pytest.LogCaptureFixture
) -> None:
    _count(*[1] * 50)

    assert caplog.record_tuples == [
        ("webapp.metrics.counters", logging.WARNING, "queue server unavailable, counting of completions pauses")
    ]


def test_many_that_end_at_once_wait_for_a_silent_queue_server_but_once(silent_queue: None) -> None:
    began = time.monotonic()
    _count(*[1] * 50)

    assert time.monotonic() - began < 2


def test_after_the_pause_endings_are_counted_again(app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "COUNTING_PAUSE", 0.2)
    with monkeypatch.context() as outage:
        outage.setattr(app_state(app), "redis", queue.connect(NOWHERE))
        _count(1)
    _count(1)
    time.sleep(0.2)
    _count(1)

    assert read_counters().completions == {WELL: 1}


def test_tallies_that_cannot_be_read_are_told_apart_from_nothing(absent_queue: None) -> None:
    with pytest.raises(CountersUnavailable):
        read_counters()
