"""Rate limits of test sends: one per destination and cooldown, and those of `webapp.sends.press_limits`.

Flask-Limiter checks the cooldown first, before anything is written. The database decides
(`webapp.deliveries.requesting`), so that a flushed or unavailable Redis lets no second message through.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from redis.exceptions import RedisError

from webapp.app_state import current_settings
from webapp.deliveries.cooldown import COOLDOWN, CoolingDown
from webapp.extensions import limiter
from webapp.outbound.policy.send_targets import SendTarget
from webapp.queue import classify
from webapp.sends.press_limits import PressLimit, TooManyTestSends, count_press, list_limits, uncount_press

log = logging.getLogger(__name__)

_ONE_PRESS = RateLimitItemPerSecond(1, int(COOLDOWN.total_seconds()))
_COOLDOWN_KEY = "test-send"


@contextmanager
def enforce_limits(
    destination_id: int, account_id: int | None, workspace_id: int, targets: Sequence[SendTarget] = ()
) -> Iterator[None]:
    """Count a press, or raise `CoolingDown` or `TooManyTestSends`. If the block raises, the press does not count.

    account_id: None if the press does not count for the member. targets: what the message would be sent to.
    """
    limits, press_id = list_limits(account_id, workspace_id, targets), None
    try:
        press_id = _count(destination_id, limits)
    except (StorageError, RedisError) as error:  # skip the other limits: each would wait for a frozen server
        facts = {"destination": destination_id, "reason": _describe(error)}
        log.warning("limiter storage unavailable, the database decides", extra=facts)
    try:
        yield
    except Exception:
        _refund(destination_id, limits, press_id)
        raise


def _count(destination_id: int, limits: Sequence[PressLimit]) -> str:
    if not limiter.limiter.hit(_ONE_PRESS, _COOLDOWN_KEY, str(destination_id)):
        raise CoolingDown
    try:
        return count_press(limits)
    except TooManyTestSends:
        _refund(destination_id)
        raise


def _refund(destination_id: int, limits: Sequence[PressLimit] = (), press_id: str | None = None) -> None:
    try:
        limiter.limiter.clear(_ONE_PRESS, _COOLDOWN_KEY, str(destination_id))
        if press_id is not None:
            uncount_press(limits, press_id)
    except (StorageError, RedisError) as error:
        facts = {"destination": destination_id, "reason": _describe(error)}
        log.warning("limiter storage unavailable, the press is not refunded", extra=facts)


def _describe(error: Exception) -> str:
    return classify(error, current_settings().redis_url).sentence
