"""Counts each press in the limits of test sends, or refuses it: the cooldown of its destination, then `limit_counters`.

The cooldown is a window of Flask-Limiter. The script that counts the other limits checks it first, before anything is
written. The database decides (`webapp.deliveries.requesting.writing`), so a flushed or unavailable Redis lets no second
message through.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from webapp.app_state import current_settings
from webapp.deliveries.requesting.cooldown import COOLDOWN, CoolingDown
from webapp.extensions import limiter
from webapp.presses.limit_counters import PressLimit, TooManyTestSends, count_presses, uncount_presses
from webapp.queue import classify

log = logging.getLogger(__name__)

_ONE_PRESS = RateLimitItemPerSecond(1, int(COOLDOWN.total_seconds()))
_COOLDOWN_KEY = "test-send"

# Why each press is refused, by its destination.
Refusals = dict[int, Exception]


@dataclass(frozen=True)
class Press:
    """A press that is to be counted: its destination, and the limits besides the cooldown."""

    destination_id: int
    limits: Sequence[PressLimit]


@contextmanager
def enforce_limits(presses: Sequence[Press]) -> Iterator[Refusals]:
    """Count presses, one after the other, and yield `CoolingDown` or `TooManyTestSends` for each that is refused.

    If the block adds a refusal for the destination of a press, that press does not count. If the block raises, none
    counts.
    No two presses may have the same destination.
    """
    refusals, ids = Refusals(), dict[int, str]()
    try:
        _count(presses, refusals, ids)
    except (StorageError, RedisError) as error:  # skip the other limits: each would wait for a frozen server
        log.warning("limiter storage unavailable, the database decides", extra=_describe(presses, error))
    counted = [press for press in presses if press.destination_id not in refusals]
    try:
        yield refusals
    except Exception:
        _refund(counted, ids)
        raise
    _refund([press for press in counted if press.destination_id in refusals], ids)


def _count(presses: Sequence[Press], refusals: Refusals, ids: dict[int, str]) -> None:
    """Count presses. refusals: gets those that are refused. ids: gets the ids of the others, by destination."""
    storage = limiter.limiter.storage
    if isinstance(storage, RedisStorage):
        admitted, cooldowns = presses, _list_keys(storage, presses)
    else:  # Flask-Limiter counts in memory while Redis is gone
        admitted, cooldowns = [press for press in presses if _hit_in_memory(press, refusals)], []
    over = []
    results = count_presses([press.limits for press in admitted], cooldowns) if admitted else []
    for press, result in zip(admitted, results, strict=True):
        if isinstance(result, str):
            ids[press.destination_id] = result
        else:
            refusals[press.destination_id] = result
        if isinstance(result, TooManyTestSends):
            over.append(press)
    _refund(over, {})


def _hit_in_memory(press: Press, refusals: Refusals) -> bool:
    is_first = limiter.limiter.hit(_ONE_PRESS, *_name_cooldown(press))
    if not is_first:
        refusals[press.destination_id] = CoolingDown()
    return is_first


def _refund(presses: Sequence[Press], ids: Mapping[int, str]) -> None:
    """Take presses back out of the counts. ids: of those that the limits have counted, by destination."""
    counted = [(ids[press.destination_id], press.limits) for press in presses if press.destination_id in ids]
    try:
        _clear_cooldowns(presses)
        if counted:
            uncount_presses(counted)
    except (StorageError, RedisError) as error:
        log.warning("limiter storage unavailable, the press is not refunded", extra=_describe(presses, error))


def _clear_cooldowns(presses: Sequence[Press]) -> None:
    storage = limiter.limiter.storage
    if isinstance(storage, RedisStorage):
        if presses:
            storage.get_connection().delete(*_list_keys(storage, presses))
        return
    for press in presses:
        limiter.limiter.clear(_ONE_PRESS, *_name_cooldown(press))


def _list_keys(storage: RedisStorage, presses: Sequence[Press]) -> list[str]:
    return [storage.prefixed_key(_ONE_PRESS.key_for(*_name_cooldown(press))) for press in presses]


def _name_cooldown(press: Press) -> tuple[str, str]:
    return _COOLDOWN_KEY, str(press.destination_id)


def _describe(presses: Sequence[Press], error: Exception) -> dict[str, object]:
    reason = classify(error, current_settings().redis_url).sentence
    return {"destinations": [press.destination_id for press in presses], "reason": reason}
