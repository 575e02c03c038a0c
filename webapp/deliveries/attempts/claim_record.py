"""Records each claim outside the database, because a restored backup has forgotten what was sent after it was made.

A row that nobody claimed ends as "nothing was sent" only if this record is complete for its whole life and has no claim
of it. Losing the record is harmless: it is then incomplete, and rows end as "may or may not have arrived".
"""

import logging
import math
import time
from collections.abc import Sequence
from datetime import datetime

from redis.exceptions import RedisError

from webapp.app_state import app_state, redis_key
from webapp.deliveries.delivery_rows import AnyWaiting

log = logging.getLogger(__name__)

# Redis sorted set: a member for each claim, with its time, and one that says since when no claim is missing, with that
# time below zero. The latter names the run of the server, because a server that restarts may load older data.
CLAIMS = "claims"

# Claims that are kept, about 10 MB. The record is complete only since the newest claim that was dropped.
MAX_CLAIMS = 100_000

# Seconds between two checks of a web process that the record has begun. A worker checks every second.
CHECK_INTERVAL = 10.0

_MARKER = "complete since the start of "

# KEYS: the record. ARGV: the time since when it is complete if it begins now, below zero; the most claims.
_KEEP = f"""
local marker = '{_MARKER}' .. string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not redis.call('ZSCORE', KEYS[1], marker) then
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(0')
    redis.call('ZADD', KEYS[1], ARGV[1], marker)
end
local surplus = redis.call('ZCARD', KEYS[1]) - 1 - ARGV[2]
if surplus > 0 then
    local newest_dropped = redis.call('ZRANGE', KEYS[1], surplus, surplus, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYRANK', KEYS[1], 1, surplus)
    redis.call('ZADD', KEYS[1], 'LT', '-' .. newest_dropped, marker)
end
"""


def keep_record(since: datetime) -> None:
    """Begin the record, if none has begun, and drop the oldest claims.

    since: every claim from then on is in the record.
    """
    try:
        app_state().redis.eval(_KEEP, 1, redis_key(CLAIMS), repr(-since.timestamp()), MAX_CLAIMS)
    except RedisError:
        log.warning("queue server unavailable, claims are not recorded")


def keep_record_sometimes(since: datetime) -> None:
    """Begin the record like `keep_record`, unless this process did so within the last `CHECK_INTERVAL` seconds."""
    state = app_state()
    if time.monotonic() >= state.claim_record_kept_until:
        state.claim_record_kept_until = time.monotonic() + CHECK_INTERVAL
        keep_record(since)


def note_claim(delivery_id: int, attempt: int, requested_at: datetime, now: datetime) -> bool:
    """Record a claim before its message is sent. Returns False if the same claim was recorded before.

    The row has then come back through a restore or a failover after the message may have been sent. A claim that cannot
    be recorded makes the record incomplete, and does not stop the message.
    """
    state = app_state()
    try:
        return bool(state.redis.zadd(redis_key(CLAIMS), {_member(delivery_id, attempt, requested_at): now.timestamp()}))
    except RedisError:
        state.has_unrecorded_claims = True
        log.warning("queue server unavailable, a claim is not recorded", extra={"delivery": delivery_id})
        return True


def discard_if_incomplete() -> None:
    """Discard the record if this process has claims that are not in it. Called again until it succeeds."""
    state = app_state()
    if state.has_unrecorded_claims:
        state.has_unrecorded_claims = False  # before the deletion: a claim that fails meanwhile sets it again
        try:
            state.redis.delete(redis_key(CLAIMS))
        except RedisError:
            state.has_unrecorded_claims = True
            log.warning("queue server unavailable, the record of claims is discarded later")


def list_possibly_claimed(rows: Sequence[AnyWaiting]) -> set[int]:
    """Return the ids of unclaimed rows that may have been claimed after all, before a backup was restored."""
    if not rows:
        return set()
    try:
        complete_since, recorded_at = _read([_member(row.id, row.attempt_count + 1, row.created_at) for row in rows])
    except RedisError:
        return {row.id for row in rows}
    return {
        row.id
        for row, claimed_at in zip(rows, recorded_at, strict=True)
        if claimed_at is not None or row.created_at.timestamp() < complete_since
    }


def _read(members: list[str]) -> tuple[float, Sequence[float | None]]:
    """Return since when the record is complete, and when each of these claims was recorded."""
    with app_state().redis.pipeline() as pipeline:
        pipeline.info("server")
        pipeline.zrangebyscore(redis_key(CLAIMS), "-inf", "(0", withscores=True)
        pipeline.zmscore(redis_key(CLAIMS), members)
        server, markers, recorded_at = pipeline.execute()
    this_run = f"{_MARKER}{server['run_id']}".encode()
    return next((-score for marker, score in markers if marker == this_run), math.inf), recorded_at


def _member(delivery_id: int, attempt: int, requested_at: datetime) -> str:
    # With the time of the press: a database that was made anew counts its ids from 1 again.
    return f"{delivery_id}:{attempt}:{requested_at.timestamp():.6f}"
