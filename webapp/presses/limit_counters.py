"""Counts the test sends of the last minute by member, workspace and target.

One script counts a press in all of its windows or in none, also if others come at the same instant: a press that one
limit refuses leaves the others as they were. Flask-Limiter would count its windows one by one. The script counts the
presses of a group one after the other, each in the cooldown of its destination first. Times are those of the queue
server's clock, which all web processes share.
"""

import logging
import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from webapp.app_state import app_state, current_settings, redis_key
from webapp.auth.keyed_hash import hash_key
from webapp.deliveries.requesting.cooldown import COOLDOWN, CoolingDown
from webapp.outbound.policy.counted_targets import SendTarget, TargetKind, find_recipients
from webapp.presses.eligibility import RequestResult
from webapp.settings import SendLimits

log = logging.getLogger(__name__)

# Milliseconds for which a test send counts.
WINDOW = 60_000

# Sorted sets: the id of a press to its time in milliseconds. Counts one press after the other, each in all its windows
# or in none. Keys: the sorted sets, and the cooldown of each press, if it begins here. Arguments: the window, the
# number of sorted sets, and the seconds of a cooldown; for each press its id, the number of its limits, and for each
# limit the number of its key and its amount. Returns for each press nothing if it is cooling down, or else the full
# windows, by their place among its limits, with two waits: until it accepts one more, and until it is empty.
_COUNT = """
local time = redis.call("TIME")
local now, window, windows = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[1]), tonumber(ARGV[2])
local function wait(key, rank)
  local entry = redis.call("ZRANGE", key, rank, rank, "WITHSCORES")
  return entry[2] and math.min(window, entry[2] + window - now) or window
end
local function is_cooling_down(key)  -- a hit of `limits` on a window that allows one
  local hits = redis.call("INCRBY", key, 1)
  if hits == 1 or redis.call("TTL", key) > tonumber(ARGV[3]) then  -- the first one, or the clock was set back
    redis.call("EXPIRE", key, ARGV[3])
  end
  return hits > 1
end
local counts = {}
for index = 1, windows do
  local key = KEYS[index]
  redis.call("ZREMRANGEBYSCORE", key, "-inf", now - window)
  redis.call("ZREMRANGEBYSCORE", key, "(" .. string.format("%.0f", now + window), "+inf")  -- the clock was set back
  counts[index] = redis.call("ZCARD", key)
end
local function count(press, first, last)
  local full = {}
  for place = first, last, 2 do
    local index, limit = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
    local key, count = KEYS[index], counts[index]
    if count >= limit then
      table.insert(full, {(place - first) / 2, wait(key, count - limit), wait(key, -1)})
    end
  end
  for place = first, #full == 0 and last or 0, 2 do
    local index = tonumber(ARGV[place])
    counts[index] = counts[index] + redis.call("ZADD", KEYS[index], string.format("%.0f", now), press)
    redis.call("PEXPIRE", KEYS[index], window)
  end
  return full
end
local results, position = {}, 4
while position < #ARGV do
  local last, cooldown = position + 2 * tonumber(ARGV[position + 1]), KEYS[windows + #results + 1]
  local is_refused = cooldown and is_cooling_down(cooldown)
  table.insert(results, not is_refused and count(ARGV[position], position + 2, last))
  position = last + 2
end
return results
"""


class TooManyTestSends(Exception):
    """The test sends of the last minute have used up a limit, and nothing was counted.

    reason: which kind of limit. seconds: until it accepts one more test send. seconds_to_all: until it accepts as many
    as it ever does.
    """

    def __init__(self, reason: RequestResult, seconds: int, seconds_to_all: int) -> None:
        super().__init__(reason)
        self.reason, self.seconds, self.seconds_to_all = reason, seconds, seconds_to_all


@dataclass(frozen=True)
class PressLimit:
    """One limit on the test sends per minute. key: what is counted, without any name or address. amount: the most."""

    reason: RequestResult
    key: str
    amount: int


def list_limits(account_id: int | None, workspace_id: int, targets: Sequence[SendTarget]) -> list[PressLimit]:
    """Return the limits of one press. account_id: None if it does not count for the member."""
    amounts = current_settings().send_limits
    member = [PressLimit(RequestResult.MEMBER_LIMIT, f"member:{account_id}", amounts.per_member)]
    return [
        *(member if account_id is not None else ()),
        PressLimit(RequestResult.WORKSPACE_LIMIT, f"workspace:{workspace_id}", amounts.per_workspace),
        *_list_target_limits(targets, amounts),
    ]


def _list_target_limits(targets: Iterable[SendTarget], amounts: SendLimits) -> list[PressLimit]:
    return [
        PressLimit(
            RequestResult.TARGET_LIMIT,
            f"target:{hash_key('target of a test', target.kind, target.name)}",
            amounts.per_recipient if target.kind is TargetKind.RECIPIENT else amounts.per_target,
        )
        for target in targets
    ]


def count_press(limits: Sequence[PressLimit]) -> str:
    """Count one press and return its id. Raises `TooManyTestSends`, or redis's errors."""
    (result,) = count_presses([limits])
    if isinstance(result, Exception):
        raise result
    return result


def count_presses(
    presses: Sequence[Sequence[PressLimit]], cooldowns: Sequence[str] = ()
) -> list[str | CoolingDown | TooManyTestSends]:
    """Count presses one after the other, in one round trip, and return the id of each or why it was not counted.

    presses: the limits of each. cooldowns: the key under which Flask-Limiter counts each; empty if it has counted them
    already. A press that another limit refuses has begun its cooldown. Raises redis's errors.
    """
    numbers: dict[str, int] = {}
    arguments: list[str | int] = []
    ids = [secrets.token_hex(8) for _ in presses]
    for press_id, limits in zip(ids, presses, strict=True):
        arguments += [press_id, len(limits)]
        for key, limit in zip(_keys(limits), limits, strict=True):
            arguments += [numbers.setdefault(key, len(numbers) + 1), limit.amount]
    head = [WINDOW, len(numbers), int(COOLDOWN.total_seconds())]
    results = app_state().redis.register_script(_COUNT)([*numbers, *cooldowns], [*head, *arguments])
    return [_read_result(press_id, limits, full) for press_id, limits, full in zip(ids, presses, results, strict=True)]


def _read_result(
    press_id: str, limits: Sequence[PressLimit], full: Sequence[Sequence[int]] | None
) -> str | CoolingDown | TooManyTestSends:
    """full: as returned by the script for one press."""
    if full is None:
        return CoolingDown()
    if not full:
        return press_id
    first, to_all = (max(waits[position] for waits in full) for position in (1, 2))
    return TooManyTestSends(limits[full[0][0]].reason, _to_seconds(first), _to_seconds(to_all))


def uncount_presses(counted: Iterable[tuple[str, Sequence[PressLimit]]]) -> None:
    """Remove presses that were counted, and that send nothing. counted: id and limits. Raises redis's errors."""
    with app_state().redis.pipeline() as pipeline:
        for press_id, limits in counted:
            for key in _keys(limits):
                pipeline.zrem(key, press_id)
        pipeline.execute()


def admit_recipient(address: str) -> bool:
    """Count a mail that is not a test, and return whether its recipient may get one more.

    Returns True while the queue server is down: only workers call this, and they get no work then.
    """
    return admit_targets(find_recipients([address]))


def admit_targets(targets: Sequence[SendTarget]) -> bool:
    """Count a message that is not a test, for all of its targets or for none, and return whether it may be sent.

    Returns True while the queue server is down, as `admit_recipient` does.
    """
    try:
        count_press(_list_target_limits(targets, current_settings().send_limits))
    except TooManyTestSends:
        return False
    except RedisError as error:
        log.warning("a message is not counted", extra={"error": type(error).__name__})
    return True


def _keys(limits: Sequence[PressLimit]) -> list[str]:
    return [redis_key(f"presses:{limit.key}") for limit in limits]


def _to_seconds(milliseconds: int) -> int:
    return max(1, math.ceil(milliseconds / 1000))
