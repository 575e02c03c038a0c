"""Test all: requests a test send for every destination that may have one, and records which were left out and why."""

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import delete, select

from webapp.auth.access import Visit
from webapp.deliveries import WantedTest
from webapp.extensions import db
from webapp.models import AlertDestination, Batch
from webapp.models.id_list import IsOneOf
from webapp.presses.eligibility import RequestResult, pages_people
from webapp.presses.enqueueing import enqueue_or_fail
from webapp.presses.left_out_destinations import (
    FindObstacle,
    LeftOut,
    Waits,
    find_eligible,
    separate_refused,
    summarize,
    write_left_out,
)
from webapp.presses.press import Refused, request_each_within_limits
from webapp.presses.testable_destinations import Candidate, list_candidates

# How long the record of what a press left out is kept. Pages show it for about a minute.
KEPT_FOR = timedelta(days=1)

# A destination, and when its test send is requested: each of a large batch has its own time.
Dated = tuple[AlertDestination, datetime]

# Writes the test sends of some destinations, with the batch's id, and returns the id of each or why it was refused.
Request = Callable[[Sequence[Dated], str], Sequence[int | Refused]]

# The most destinations that are requested in one transaction: others wait for their rows while it lasts.
MAX_TOGETHER = 250

_LOAD = select(AlertDestination).where(IsOneOf(AlertDestination.id, "destination_ids"))


@dataclass(frozen=True)
class BatchResult:
    """What one press requested in a workspace.

    batch: the id that its test sends share. requested: their number. left_out: the destinations without one, by reason.
    """

    batch: str
    requested: int
    left_out: Sequence[LeftOut]


def press_all(visit: Visit, now: datetime, confirms_paging: bool = False) -> str:
    """Request and enqueue a test send for each destination that may have one, least recently tested first.

    Ends at the workspace's limit. Returns the batch id. confirms_paging: see `find_refusal`.
    """
    return press_each(visit, list_candidates(visit.workspace.id), now, confirms_paging).batch


def press_each(
    visit: Visit, candidates: Iterable[Candidate], now: datetime, confirms_paging: bool = False
) -> BatchResult:
    """Request test sends as `press_all` does, for these destinations of the workspace only, in this order."""

    def find_obstacle(candidate: Candidate) -> RequestResult | None:
        return RequestResult.NOT_CONFIRMED if pages_people(candidate.channel) and not confirms_paging else None

    def request(destinations: Sequence[Dated], batch: str) -> list[int | Refused]:
        wanted = [WantedTest(destination, at, destination.settings_version) for destination, at in destinations]
        return request_each_within_limits(visit, wanted, batch, confirms_paging)

    return request_each(visit.workspace.id, candidates, now, find_obstacle, request)


def request_each(
    workspace_id: int, candidates: Iterable[Candidate], now: datetime, find_obstacle: FindObstacle, request: Request
) -> BatchResult:
    """Request and enqueue a test send for each of these destinations that may have one, in this order.

    Ends at the workspace's limit, and at once if the queue server is unavailable.
    find_obstacle: returns why a destination is left out before a test send is requested, or None.
    """
    batch, waits, clock = secrets.token_hex(8), Waits(list), _start_clock(now)
    remaining, total = deque(find_eligible(candidates, now, find_obstacle, waits)), 0
    size = 1  # if the queue is unavailable, only one destination loses its cooldown, not hundreds
    while remaining:
        chunk = [remaining.popleft() for _ in range(min(size, len(remaining)))]
        written = separate_refused(request(_load(chunk, clock), batch), remaining, waits)
        total += len(written)
        if written and enqueue_or_fail(*written, requested_at=now) is not RequestResult.ACCEPTED:
            waits[RequestResult.QUEUE_UNAVAILABLE] += [0] * len(remaining)
            break
        # Only a queue server that works refuses a test because of a limit.
        size = MAX_TOGETHER if total or waits[RequestResult.TARGET_LIMIT] else 1
    left_out = summarize(waits)
    _record(workspace_id, batch, left_out, clock())
    return BatchResult(batch, total, left_out)


def _start_clock(now: datetime) -> Callable[[], datetime]:
    """Return a clock that starts at `now`: a large batch takes seconds to request."""
    started = monotonic()
    return lambda: now + timedelta(seconds=monotonic() - started)


def _load(destination_ids: Sequence[int], clock: Callable[[], datetime]) -> list[Dated]:
    """Return these destinations in this order, without those that are gone."""
    destinations = db.session.scalars(_LOAD, {"destination_ids": destination_ids})
    found = {destination.id: destination for destination in destinations}
    return [(found[number], clock()) for number in destination_ids if number in found]


def _record(workspace_id: int, batch: str, left_out: Iterable[LeftOut], now: datetime) -> None:
    db.session.execute(delete(Batch).where(Batch.workspace_id == workspace_id, Batch.created_at < now - KEPT_FOR))
    db.session.add(Batch(id=batch, workspace_id=workspace_id, left_out=write_left_out(left_out), created_at=now))
    db.session.commit()
