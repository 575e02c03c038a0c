"""Which destinations Test all leaves out, and why: disabled, not confirmed, cooling down, or over a limit."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.deliveries.requesting.cooldown import COOLDOWN, seconds_left
from webapp.presses.eligibility import RequestResult
from webapp.presses.press import Refused
from webapp.presses.testable_destinations import Candidate

# Each destination that was left out, by reason: the seconds until it can be tested, or 0 if time does not help.
Waits = defaultdict[RequestResult, list[int]]

# Why a destination is left out, besides being disabled or cooling down; None if nothing speaks against it.
FindObstacle = Callable[[Candidate], RequestResult | None]


@dataclass(frozen=True)
class LeftOut:
    """Destinations that were not tested for the same reason.

    seconds: from the press until all of them can be tested, or 0 if time does not help.
    """

    reason: RequestResult
    count: int
    seconds: int


def find_eligible(
    candidates: Iterable[Candidate], now: datetime, find_obstacle: FindObstacle, waits: Waits
) -> Iterator[int]:
    """Yield the ids of the destinations that may be tested now, and add the waits of the others."""
    for candidate in candidates:
        if not candidate.is_enabled:
            waits[RequestResult.DISABLED].append(0)
        elif (obstacle := find_obstacle(candidate)) is not None:
            waits[obstacle].append(0)
        elif seconds := seconds_left(candidate.requested_at, now):
            waits[RequestResult.COOLING_DOWN].append(seconds)
        else:
            yield candidate.destination_id


def separate_refused(outcomes: Sequence[int | Refused], remaining: deque[int], waits: Waits) -> list[int]:
    """Return the ids of the test sends that were written, and add the waits of the others."""
    for refused in outcomes:
        if isinstance(refused, Refused):
            waits[refused.reason].append(_seconds_to_go_on(refused))
            if refused.reason is RequestResult.WORKSPACE_LIMIT:  # the others would be refused too
                waits[refused.reason] += [_seconds_to_go_on(refused)] * len(remaining)
                remaining.clear()
    return [outcome for outcome in outcomes if not isinstance(outcome, Refused)]


def _seconds_to_go_on(refused: Refused) -> int:
    # Another press was faster: its cooldown has just begun.
    is_cooldown = refused.reason is RequestResult.COOLING_DOWN
    return int(COOLDOWN.total_seconds()) if is_cooldown else refused.seconds_to_all


def summarize(waits: Waits) -> list[LeftOut]:
    """Return what was left out, by reason."""
    return [LeftOut(reason, len(waits[reason]), max(waits[reason])) for reason in RequestResult if waits[reason]]


def add_up(left_out: Iterable[LeftOut]) -> list[LeftOut]:
    """Return what several presses left out together, by reason."""
    by_reason: dict[RequestResult, list[LeftOut]] = defaultdict(list)
    for part in left_out:
        by_reason[part.reason].append(part)
    return [
        LeftOut(reason, sum(part.count for part in parts), max(part.seconds for part in parts))
        for reason, parts in by_reason.items()
    ]


def write_left_out(left_out: Iterable[LeftOut]) -> list[dict[str, Any]]:
    """Return the value of the column `left_out` of a batch."""
    return [{"reason": part.reason.value, "count": part.count, "seconds": part.seconds} for part in left_out]


def read_left_out(stored: Iterable[dict[str, Any]]) -> list[LeftOut]:
    """Read the column `left_out` of a batch."""
    return [LeftOut(RequestResult(part["reason"]), part["count"], part["seconds"]) for part in stored]
