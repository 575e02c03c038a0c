"""How deliveries ended, and how long they took, counted in Redis: what /metrics tells without reading the table.

Only words of closed lists are kept, since they become labels. A word that this version does not know counts as `OTHER`.
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

from webapp.channels import CHANNELS
from webapp.deliveries.completion_events import CompletionEvent
from webapp.extensions import app_state
from webapp.failures import Code
from webapp.models import DeliveryStatus

log = logging.getLogger(__name__)

COMPLETIONS_KEY = "alertcheck:ended"
"""Hash: `channel|status|code` to how many deliveries ended so."""

DURATIONS_KEY = "alertcheck:ended-seconds"
"""Hash: `channel|bound` to how many took so long and no longer, `channel|sum` to the seconds of all."""

DURATION_BUCKETS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, math.inf)
"""Seconds from press to end; a test send ends within 120."""

COUNTING_PAUSE = 5.0
"""Seconds without counting after the queue server did not answer: many may end at once, and each would wait for it."""

OTHER, NO_CODE = "other", "none"

_CHANNELS = (*CHANNELS, OTHER)
_STATUSES = {status.value for status in DeliveryStatus}
_CODES = {code.value for code in Code} | {NO_CODE}
_SUM = "sum"


class CountersUnavailable(Exception):
    """The queue server did not tell the tallies."""


@dataclass(frozen=True)
class CompletionLabels:
    """How deliveries end. code: `NO_CODE` if nothing went wrong."""

    channel: str
    status: str
    code: str

    @classmethod
    def of(cls, channel: str, status: str, code: str) -> "CompletionLabels":
        """Make one of known words."""
        return cls(
            _known_or_other(channel, _CHANNELS), _known_or_other(status, _STATUSES), _known_or_other(code, _CODES)
        )


@dataclass(frozen=True)
class DurationHistogram:
    """How long a channel's deliveries took.

    counts: for each of `DURATION_BUCKETS`, how many took no longer. total: the seconds of all.
    """

    counts: tuple[int, ...]
    total: float


@dataclass(frozen=True)
class Counters:
    """All that was counted since the queue server started. durations: by channel, also where none has ended."""

    completions: Mapping[CompletionLabels, int]
    durations: Mapping[str, DurationHistogram]


def count_completion(completion: CompletionEvent) -> None:
    """Count a completed delivery. It stays uncounted while the queue server is unavailable."""
    state = app_state()
    if time.monotonic() < state.counting_paused_until:
        return
    labels = CompletionLabels.of(completion.channel, completion.status, completion.code or NO_CODE)
    seconds = max(0.0, completion.seconds)
    try:
        with state.redis.pipeline() as pipeline:
            pipeline.hincrby(COMPLETIONS_KEY, f"{labels.channel}|{labels.status}|{labels.code}")
            pipeline.hincrby(DURATIONS_KEY, f"{labels.channel}|{DURATION_BUCKETS[_bucket(seconds)]}")
            pipeline.hincrbyfloat(DURATIONS_KEY, f"{labels.channel}|{_SUM}", seconds)
            pipeline.execute()
    except RedisError:
        log.warning("queue server unavailable, completions are not counted for a moment")
        state.counting_paused_until = time.monotonic() + COUNTING_PAUSE


def read_counters() -> Counters:
    """Read all that was counted. Raises `CountersUnavailable`."""
    try:
        with app_state().redis.pipeline() as pipeline:
            pipeline.hgetall(COMPLETIONS_KEY)
            pipeline.hgetall(DURATIONS_KEY)
            ended, timed = pipeline.execute()
    except RedisError:
        raise CountersUnavailable from None
    return Counters(_read_outcomes(ended), _read_durations(timed))


def _read_outcomes(ended: dict[bytes, bytes]) -> dict[CompletionLabels, int]:
    completions: Counter[CompletionLabels] = Counter()
    for words, count in ended.items():
        completions[CompletionLabels.of(*words.decode().split("|"))] += int(count)
    return completions


def _read_durations(timed: dict[bytes, bytes]) -> dict[str, DurationHistogram]:
    counts = {channel: [0] * len(DURATION_BUCKETS) for channel in _CHANNELS}
    totals = dict.fromkeys(_CHANNELS, 0.0)
    for words, value in timed.items():
        word, bound = words.decode().split("|")
        channel = _known_or_other(word, _CHANNELS)
        if bound == _SUM:
            totals[channel] += float(value)
        else:
            counts[channel][_bucket(float(bound))] += int(value)
    return {channel: DurationHistogram(tuple(accumulate(counts[channel])), totals[channel]) for channel in _CHANNELS}


def _bucket(seconds: float) -> int:
    return bisect_left(DURATION_BUCKETS, seconds)


def _known_or_other(word: str, words: Collection[str]) -> str:
    return word if word in words else OTHER
