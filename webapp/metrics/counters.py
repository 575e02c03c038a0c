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

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError

from webapp.channels import CHANNELS
from webapp.failures import Code
from webapp.models import DeliveryStatus

log = logging.getLogger(__name__)

ENDED = "alertcheck:ended"
"""Hash: `channel|status|code` to how many deliveries ended so."""

TIMED = "alertcheck:ended-seconds"
"""Hash: `channel|bound` to how many took so long and no longer, `channel|sum` to the seconds of all."""

BOUNDS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, math.inf)
"""Seconds from press to end; a test send ends within 120."""

PAUSE = 5.0
"""Seconds without counting after the queue server did not answer: many may end at once, and each would wait for it."""

OTHER, NO_CODE = "other", "none"

_CHANNELS = (*CHANNELS, OTHER)
_STATUSES = {status.value for status in DeliveryStatus}
_CODES = {code.value for code in Code} | {NO_CODE}
_SUM = "sum"
_PAUSED_UNTIL = "tallies-paused-until"


class TalliesUnavailable(Exception):
    """The queue server did not tell the tallies."""


@dataclass(frozen=True)
class Outcome:
    """How deliveries end. code: `NO_CODE` if nothing went wrong."""

    channel: str
    status: str
    code: str

    @classmethod
    def of(cls, channel: str, status: str, code: str) -> "Outcome":
        """Make one of known words."""
        return cls(_known(channel, _CHANNELS), _known(status, _STATUSES), _known(code, _CODES))


@dataclass(frozen=True)
class Durations:
    """How long a channel's deliveries took.

    counts: for each of `BOUNDS`, how many took no longer. total: the seconds of all.
    """

    counts: tuple[int, ...]
    total: float


@dataclass(frozen=True)
class Tallies:
    """All that was counted since the queue server started. durations: by channel, also where none has ended."""

    outcomes: Mapping[Outcome, int]
    durations: Mapping[str, Durations]


def count_ending(channel: str, status: str, code: str | None, seconds: float) -> None:
    """Count a delivery that has ended. Without the queue server it goes uncounted: that is no error of the delivery.

    seconds: from the press to the end.
    """
    if time.monotonic() < current_app.extensions.get(_PAUSED_UNTIL, -math.inf):
        return
    outcome, took = Outcome.of(channel, status, code or NO_CODE), max(0.0, seconds)
    try:
        with _client().pipeline() as pipeline:
            pipeline.hincrby(ENDED, f"{outcome.channel}|{outcome.status}|{outcome.code}")
            pipeline.hincrby(TIMED, f"{outcome.channel}|{BOUNDS[_bucket(took)]}")
            pipeline.hincrbyfloat(TIMED, f"{outcome.channel}|{_SUM}", took)
            pipeline.execute()
    except RedisError:
        log.warning("queue server unavailable, endings go uncounted for a moment")
        current_app.extensions[_PAUSED_UNTIL] = time.monotonic() + PAUSE


def read_tallies() -> Tallies:
    """Read all that was counted. Raises `TalliesUnavailable`."""
    try:
        with _client().pipeline() as pipeline:
            pipeline.hgetall(ENDED)
            pipeline.hgetall(TIMED)
            ended, timed = pipeline.execute()
    except RedisError:
        raise TalliesUnavailable from None
    return Tallies(_read_outcomes(ended), _read_durations(timed))


def _read_outcomes(ended: dict[bytes, bytes]) -> dict[Outcome, int]:
    outcomes: Counter[Outcome] = Counter()
    for words, count in ended.items():
        outcomes[Outcome.of(*words.decode().split("|"))] += int(count)
    return outcomes


def _read_durations(timed: dict[bytes, bytes]) -> dict[str, Durations]:
    counts = {channel: [0] * len(BOUNDS) for channel in _CHANNELS}
    totals = dict.fromkeys(_CHANNELS, 0.0)
    for words, value in timed.items():
        word, bound = words.decode().split("|")
        channel = _known(word, _CHANNELS)
        if bound == _SUM:
            totals[channel] += float(value)
        else:
            counts[channel][_bucket(float(bound))] += int(value)
    return {channel: Durations(tuple(accumulate(counts[channel])), totals[channel]) for channel in _CHANNELS}


def _bucket(seconds: float) -> int:
    return bisect_left(BOUNDS, seconds)


def _known(word: str, words: Collection[str]) -> str:
    return word if word in words else OTHER


def _client() -> Redis:
    client: Redis = current_app.extensions["queue"]
    return client
