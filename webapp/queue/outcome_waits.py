"""Lets a request wait for the outcome of a delivery, which is announced on the queue server after its commit.

An announcement is a hint: the row decides. Without it, or without the queue server, the request is answered as the row
is, and its page polls again.
"""

import logging
import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# Seconds that a request waits at most: longer than most receivers take, and hardly noticed by a process that stops.
LONGEST_WAIT = 0.15

# The requests of a process that wait at once: gunicorn has 8 threads (webapp/web_server/gunicorn.py).
MAX_WAITS = 3

# Seconds for which no request waits after the queue server failed.
PAUSE = 5.0

# Options of the client that waits. A server that does not respond is given up soon after the wait.
OPTIONS: dict[str, Any] = {"socket_connect_timeout": LONGEST_WAIT, "socket_timeout": 2 * LONGEST_WAIT}

# Seconds for which an announcement is kept: a request that has just read the row as it was still finds it.
ANNOUNCEMENT_TTL = 5


class OutcomeWaits:
    """The requests of one process that wait. redis: a client with `OPTIONS`. prefix: of all keys."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix
        self._lock, self._free = Lock(), MAX_WAITS
        self._paused_until = -math.inf

    def announce(self, delivery_id: int, pipeline: Pipeline) -> None:
        """Add the commands to a pipeline that announce an outcome. Its transaction has been committed."""
        key = self._key(delivery_id)
        pipeline.xadd(key, {"ended": 1})
        pipeline.expire(key, ANNOUNCEMENT_TTL)

    def has_place(self) -> bool:
        """Return whether one more request could wait now."""
        return self._free > 0 and time.monotonic() >= self._paused_until

    def wait(self, delivery_id: int, leave: Callable[[], object]) -> bool:
        """Wait until the outcome is announced, for `LONGEST_WAIT` at most. Returns whether the request waited.

        leave: gives back what nobody may hold meanwhile.
        """
        if not self._take_place():
            return False
        try:
            leave()
            self._redis.xread({self._key(delivery_id): "0"}, count=1, block=round(1000 * LONGEST_WAIT))
        except RedisError as error:
            self._paused_until = time.monotonic() + PAUSE
            log.info("queue server unavailable, outcomes are only polled", extra={"error": type(error).__name__})
        finally:
            self._give_back_place()
        return True

    def _key(self, delivery_id: int) -> str:
        return f"{self._prefix}:outcome:{delivery_id}"

    def _take_place(self) -> bool:
        with self._lock:
            has_place = self.has_place()
            self._free -= has_place
            return has_place

    def _give_back_place(self) -> None:
        with self._lock:
            self._free += 1
