"""Counts completed deliveries and their durations in Redis, so that /metrics need not read the table.

Labels take only values of closed lists. A value that this version does not know counts as `OTHER`.
"""

import logging
import math
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import accumulate

from redis.exceptions import RedisError

from webapp.app_state import app_state, redis_key
from webapp.channels import CHANNELS
from webapp.deliveries.completion_events import CompletionEvent
from webapp.failures import Code
from webapp.models import TEST_EVENT, DeliveryStatus

log = logging.getLogger(__name__)

# Redis hash: `channel|status|code` to the number of completed deliveries.
COMPLETIONS_KEY = "ended"

# Redis hash: `channel|upper bound` to the number of deliveries in that bucket, `channel|sum` to their total seconds.
DURATIONS_KEY = "ended-seconds"

# Upper bounds in seconds, from press to completion. A test send completes within 120 s.
DURATION_BUCKETS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, math.inf)

# Seconds without counting after the queue server failed: many deliveries may complete at once, and each would wait.
COUNTING_PAUSE = 5.0

OTHER, NO_CODE = "other", "none"

_CHANNELS = (*CHANNELS, OTHER)
_STATUSES = {status.value for status in DeliveryStatus}
_CODES = {code.value for code in Code} | {NO_CODE}
_SUM = "sum"


class CountersUnavailable(Exception):
    """The queue server did not return the counters."""


@dataclass(frozen=True)
class CompletionLabels:
    """The labels of a completion. code: `NO_CODE` without an error or warning."""

    channel: str
    status: str
    code: str

    @classmethod
    def of(cls, channel: str, status: str, code: str) -> "CompletionLabels":
        """Return the labels, with unknown values replaced by `OTHER`."""
        return cls(
            _known_or_other(channel, _CHANNELS), _known_or_other(status, _STATUSES), _known_or_other(code, _CODES)
        )


@dataclass(frozen=True)
class DurationHistogram:
    """The durations of a channel's deliveries.

    counts: cumulative, one per bound in `DURATION_BUCKETS`. total: the sum of all durations in seconds.
    """

    counts: tuple[int, ...]
    total: float


@dataclass(frozen=True)
class Counters:
    """All counters since the queue server started. durations: by channel, including channels without completions."""

    completions: Mapping[CompletionLabels, int]
    durations: Mapping[str, DurationHistogram]


def count_completion(completion: CompletionEvent) -> None:
    """Count a completed delivery, and announce the outcome of a test send in the same round trip.

    Neither happens while the queue server is unavailable.
    """
    state = app_state()
    if time.monotonic() < state.counting_paused_until:
        return
    labels = CompletionLabels.of(completion.channel, completion.status, completion.code or NO_CODE)
    seconds = max(0.0, completion.seconds)
    try:
        with state.redis.pipeline() as pipeline:
            pipeline.hincrby(redis_key(COMPLETIONS_KEY), f"{labels.channel}|{labels.status}|{labels.code}")
            pipeline.hincrby(redis_key(DURATIONS_KEY), f"{labels.channel}|{DURATION_BUCKETS[_bucket(seconds)]}")
            pipeline.hincrbyfloat(redis_key(DURATIONS_KEY), f"{labels.channel}|{_SUM}", seconds)
            if completion.event_type == TEST_EVENT:
                state.outcome_waits.announce(completion.delivery, pipeline)
            pipeline.execute()
    except RedisError:
        log.warning("queue server unavailable, counting of completions pauses")
        state.counting_paused_until = time.monotonic() + COUNTING_PAUSE


def read_counters() -> Counters:
    """Return all counters. Raises `CountersUnavailable`."""
    try:
        with app_state().redis.pipeline() as pipeline:
            pipeline.hgetall(redis_key(COMPLETIONS_KEY))
            pipeline.hgetall(redis_key(DURATIONS_KEY))
            completions, durations = pipeline.execute()
    except RedisError:
        raise CountersUnavailable from None
    return Counters(_read_completions(completions), _read_durations(durations))


def _read_completions(stored: dict[bytes, bytes]) -> dict[CompletionLabels, int]:
    completions: Counter[CompletionLabels] = Counter()
    for field, count in stored.items():
        completions[CompletionLabels.of(*field.decode().split("|"))] += int(count)
    return completions


def _read_durations(stored: dict[bytes, bytes]) -> dict[str, DurationHistogram]:
    counts = {channel: [0] * len(DURATION_BUCKETS) for channel in _CHANNELS}
    totals = dict.fromkeys(_CHANNELS, 0.0)
    for field, value in stored.items():
        name, bound = field.decode().split("|")
        channel = _known_or_other(name, _CHANNELS)
        if bound == _SUM:
            totals[channel] += float(value)
        else:
            counts[channel][_bucket(float(bound))] += int(value)
    return {channel: DurationHistogram(tuple(accumulate(counts[channel])), totals[channel]) for channel in _CHANNELS}


def _bucket(seconds: float) -> int:
    return bisect_left(DURATION_BUCKETS, seconds)


def _known_or_other(value: str, known: Collection[str]) -> str:
    return value if value in known else OTHER
