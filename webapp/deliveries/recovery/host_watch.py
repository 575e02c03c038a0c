"""Since when any process of this host has seen an attempt, so that a process that soon dies leaves it to the next one.

All processes of a host share its monotonic clock until it boots. Their observations are kept in Redis, which may lose
them: each process also has its own (`webapp.deliveries.recovery.wait_tracker`).
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from redis.exceptions import RedisError

from webapp.app_state import app_state, redis_key
from webapp.deliveries.delivery_rows import AnyWaiting

log = logging.getLogger(__name__)

# An attempt of this age, by the database's clock, takes longer than an attempt may, so it is watched.
SLOW_AFTER = timedelta(seconds=9)

# Seconds for which Redis keeps an observation.
KEPT_FOR = 300

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def list_slow(rows: Sequence[AnyWaiting], now: datetime) -> list[AnyWaiting]:
    """Return the rows whose attempt takes too long."""
    return [row for row in rows if row.attempt_started_at is not None and now - row.attempt_started_at >= SLOW_AFTER]


def watch(slow: Sequence[AnyWaiting], monotonic: float) -> dict[int, timedelta]:
    """Record that this host sees these attempts, and return for how long it has seen each; empty if it is not known.

    monotonic: seconds of the clock that the processes of the host share.
    """
    boot_id = _read_boot_id()
    if not slow or boot_id is None:
        return {}
    try:
        with app_state().redis.pipeline() as pipeline:
            for row in slow:
                key = redis_key(f"watch:{boot_id}:{row.id}:{row.attempt_count}:{row.updated_at}")
                pipeline.set(key, monotonic, nx=True, ex=KEPT_FOR)
                pipeline.get(key)
            since = pipeline.execute()[1::2]
    except RedisError:
        log.warning("queue server unavailable, this process watches attempts by itself")
        return {}
    return {
        row.id: timedelta(seconds=monotonic - float(first_seen)) for row, first_seen in zip(slow, since, strict=True)
    }


@cache
def _read_boot_id() -> str | None:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:  # not Linux
        return None
