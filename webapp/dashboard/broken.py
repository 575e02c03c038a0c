"""What is broken: the destinations of several workspaces that failed, and those whose proof is old."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest

from webapp.auth.access import Visit
from webapp.dashboard.notable_destinations import NotableDestination, list_notable
from webapp.dashboard.planned_test_status import list_plans
from webapp.dashboard.recent_results import list_recent_results
from webapp.dashboard.stale_destinations import StaleDestination, list_stale, list_with_acceptance
from webapp.dashboard.status_fragment import SharedStatusData, Status, build_status
from webapp.dashboard.summaries import Tab
from webapp.deliveries.badge import Badge
from webapp.deliveries.last_acceptance import Acceptance
from webapp.deliveries.newest_deliveries import list_with_newest_test
from webapp.deliveries.proof import list_proofs
from webapp.models import AlertDestination, Workspace
from webapp.presses.eligibility import pages_people

# Rows of each list on the page.
MAX_LISTED = 100

# How long a destination that was broken stays on the page after it accepted a test.
RECOVERED_FOR = timedelta(minutes=10)

# Destinations with a recent test of which the page checks whether they were broken before it.
MAX_CHECKED = 500


@dataclass(frozen=True)
class BrokenRow:
    """A destination that is broken, is being tested after it was, or has just recovered."""

    visit: Visit
    status: Status


@dataclass(frozen=True)
class StaleRow:
    """A destination that has accepted no message for long. acceptance: the newest one of all, or None."""

    workspace: Workspace
    destination: AlertDestination
    acceptance: Acceptance | None


@dataclass(frozen=True)
class BrokenPage:
    """What the page shows.

    counts: broken destinations by workspace, for each workspace that has any. paging: how many of them page people.
    rows, stale: the first ones. listed, stale_total: how many there are.
    """

    counts: Mapping[int, int]
    paging: Mapping[int, int]
    rows: Sequence[BrokenRow]
    listed: int
    stale: Sequence[StaleRow]
    stale_total: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def list_broken(workspace_ids: Sequence[int], now: datetime) -> dict[int, list[int]]:
    """Return the broken destinations of each of these workspaces that has any."""
    broken: dict[int, list[int]] = {}
    for summary in list_notable(workspace_ids, now):
        if summary.state.is_broken:
            broken.setdefault(summary.workspace_id, []).append(summary.destination_id)
    return broken


def load_broken_page(visits: Mapping[int, Visit], only: int | None, now: datetime) -> BrokenPage:
    """Load the page for these visits, by workspace id. Executes a fixed number of queries.

    only: a workspace to which the lists are limited, or None.
    """
    summaries = list_notable(list(visits), now - RECOVERED_FOR)
    broken = [summary for summary in summaries if summary.state.is_broken]
    here = [summary for summary in summaries if only in (None, summary.workspace_id)]
    by_name = _by_name(visits)
    recovering = _find_recovering(sorted(filter(_has_new_test, here), key=by_name))
    shown = [one for one in here if one.state.is_broken or one.destination_id in recovering]
    stale = _list_only_stale([only] if only else list(visits), here, now)
    return BrokenPage(
        Counter(summary.workspace_id for summary in broken),
        Counter(summary.workspace_id for summary in broken if pages_people(summary.channel)),
        _load_rows(visits, nsmallest(MAX_LISTED, shown, key=by_name), _count_pending(summaries), now),
        len(shown),
        _load_stale_rows(visits, nsmallest(MAX_LISTED, stale, key=by_name)),
        len(stale),
    )


def _by_name(visits: Mapping[int, Visit]) -> Callable[[NotableDestination | StaleDestination], tuple[str, str, int]]:
    names = {workspace_id: visit.workspace.name.casefold() for workspace_id, visit in visits.items()}
    return lambda summary: (names[summary.workspace_id], summary.name.casefold(), summary.destination_id)


def _find_recovering(summaries: Sequence[NotableDestination]) -> set[int]:
    """Return which destinations failed before their newest test: their rows stay while somebody repairs them."""
    candidates = [summary.destination_id for summary in summaries[:MAX_CHECKED]]
    results = list_recent_results(candidates) if candidates else {}
    return {
        destination_id
        for destination_id, of_it in results.items()
        if len(of_it) > 1 and of_it[-2].badge is Badge.FAILED
    }


def _has_new_test(summary: NotableDestination) -> bool:
    return summary.state is Tab.PENDING or (summary.state is Tab.SENT and summary.is_recent)


def _list_only_stale(
    workspace_ids: list[int], summaries: Sequence[NotableDestination], now: datetime
) -> list[StaleDestination]:
    """Return the destinations that are stale and not broken, and have no test that waits."""
    shown_otherwise = {one.destination_id for one in summaries if one.state.is_broken or one.state is Tab.PENDING}
    return list_stale(workspace_ids, now, shown_otherwise)


def _count_pending(summaries: Sequence[NotableDestination]) -> int:
    return sum(summary.state is Tab.PENDING for summary in summaries)


def _load_rows(
    visits: Mapping[int, Visit], shown: Sequence[NotableDestination], pending: int, now: datetime
) -> list[BrokenRow]:
    """Load the rows of these destinations. pending: how many are being tested, in all workspaces."""
    if not shown:
        return []
    ids = [one.destination_id for one in shown]
    plans = list_plans([one.destination_id for one in shown if one.has_plan])
    shared = SharedStatusData(list_recent_results(ids), pending, plans, list_proofs(ids, now))
    return [
        BrokenRow(visit, build_status(visit, destination, newest, shared, now))
        for destination, newest in list_with_newest_test(ids)
        for visit in [visits[destination.workspace_id]]
    ]


def _load_stale_rows(visits: Mapping[int, Visit], stale: Sequence[StaleDestination]) -> list[StaleRow]:
    found = list_with_acceptance([one.destination_id for one in stale]) if stale else []
    return [
        StaleRow(visits[destination.workspace_id].workspace, destination, acceptance)
        for destination, acceptance in found
    ]
