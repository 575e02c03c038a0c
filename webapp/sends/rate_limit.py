"""How often tests may be sent: one in 60 seconds to a destination, and not too many by one member or in one workspace.

Flask-Limiter answers first, before anything is written. The database decides
(`webapp.deliveries.requesting`), so that a flushed or absent Redis lets no second message through.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.errors import StorageError

from webapp.extensions import limiter
from webapp.settings import current_settings

log = logging.getLogger(__name__)

COOLDOWN = timedelta(seconds=60)

_ONE_PRESS = RateLimitItemPerSecond(1, int(COOLDOWN.total_seconds()))
_COOLDOWN_KEY = "test-send"


class CoolingDown(Exception):
    """An earlier test send to this destination is younger than `COOLDOWN`."""


class TooManyTestSends(Exception):
    """The member or the workspace has sent as many tests as a minute allows."""


def seconds_left(pressed_at: datetime | None, now: datetime) -> int:
    """Count the whole seconds until the next press is accepted, 0 if it would be now.

    pressed_at: when the newest test send was requested, or None. A little in the future (two hosts' clocks) counts as
        just now; far in the future (the clock was set back) tells nothing of how long ago it was, so it does not block.
    """
    if pressed_at is None or pressed_at > now + COOLDOWN:
        return 0
    left = COOLDOWN - max(now - pressed_at, timedelta(0))
    return max(0, math.ceil(left.total_seconds()))


@contextmanager
def enforce_limits(destination_id: int, account_id: int, workspace_id: int) -> Iterator[None]:
    """Let a press pass, or raise `CoolingDown` or `TooManyTestSends`. One that breaks is given back."""
    try:
        _check_limits(destination_id, account_id, workspace_id)
    except StorageError:  # the other limits are not asked: a frozen server takes its time for each, and a person waits
        log.warning("limiter storage unavailable, the database decides", extra={"destination": destination_id})
    try:
        yield
    except Exception:
        _refund(destination_id)
        raise


def _check_limits(destination_id: int, account_id: int, workspace_id: int) -> None:
    if not _hit(_ONE_PRESS, _COOLDOWN_KEY, destination_id):
        raise CoolingDown
    limits = current_settings().presses
    of_member = _hit(RateLimitItemPerMinute(limits.per_member), "member", account_id)
    if not (of_member and _hit(RateLimitItemPerMinute(limits.per_workspace), "workspace", workspace_id)):
        _refund(destination_id)
        raise TooManyTestSends


def _hit(rule: RateLimitItem, kind: str, row_id: int) -> bool:
    return limiter.limiter.hit(rule, kind, str(row_id))


def _refund(destination_id: int) -> None:
    try:
        limiter.limiter.clear(_ONE_PRESS, _COOLDOWN_KEY, str(destination_id))
    except StorageError:
        log.warning("limiter storage unavailable, it forgets by itself", extra={"destination": destination_id})
