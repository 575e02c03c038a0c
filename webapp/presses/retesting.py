"""Test the failed: requests test sends for the broken destinations of several workspaces, up to a limit per press."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp.auth.access import Visit
from webapp.presses.batches import press_each
from webapp.presses.left_out_destinations import LeftOut, add_up
from webapp.presses.testable_destinations import list_candidates

# Destinations per press: each takes milliseconds, and somebody waits for the response.
MAX_AT_ONCE = 100


@dataclass(frozen=True)
class RetestResult:
    """What a press on Test the failed did.

    requested: the number of test sends. workspaces: the number of workspaces with one.
    left_out: the destinations that cannot be tested now, by reason.
    postponed: the number of destinations that are left to the next press.
    """

    requested: int
    workspaces: int
    left_out: Sequence[LeftOut]
    postponed: int


def press_failed(
    broken: Mapping[int, Sequence[int]], visits: Iterable[Visit], now: datetime, confirms_paging: bool = False
) -> RetestResult:
    """Test up to `MAX_AT_ONCE` broken destinations, wherever the visit's role may test.

    broken: ids by workspace. confirms_paging: see `find_refusal`.
    """
    requested, workspaces, postponed, left_out = 0, 0, 0, list[LeftOut]()
    budget = MAX_AT_ONCE
    for visit in visits:
        wanted = frozenset(broken.get(visit.workspace.id, ())) if visit.role.may_test else frozenset[int]()
        if not wanted or not budget:
            postponed += len(wanted)
            continue
        candidates = [each for each in list_candidates(visit.workspace.id) if each.destination_id in wanted]
        pressed = press_each(visit, candidates[:budget], now, confirms_paging)
        postponed += len(candidates[budget:])
        budget -= len(candidates[:budget])
        requested, workspaces = requested + pressed.requested, workspaces + bool(pressed.requested)
        left_out += pressed.left_out
    return RetestResult(requested, workspaces, add_up(left_out), postponed)
