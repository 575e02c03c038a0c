"""Computes the version of a list page, so that an open page that shows it already need not be sent again.

Each row has one too, so that it need not be drawn again.
"""

import hashlib
import json
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta

from webapp import __version__
from webapp.auth.access import Visit
from webapp.dashboard.badge_age import find_idle_warning
from webapp.dashboard.overview import ListQuery
from webapp.dashboard.proof_gaps import find_gaps
from webapp.dashboard.summaries import DestinationSummary
from webapp.dashboard.time_format import find_age_change, format_relative
from webapp.deliveries.badge import Badge, badge_for
from webapp.models.types import read_stored_time
from webapp.notices.page_header import load_page_header

# After a test changed, a page has no version for this long: an earlier test may still be under way, and its result
# appears in the sparkline only.
SETTLING_TIME = timedelta(minutes=2)

# Pages that are open for longer are sent again, for what no version covers, such as the names of workspaces.
LONGEST_REUSE = timedelta(minutes=10)


def find_state(summaries: Sequence[DestinationSummary], beside: object, now: datetime) -> str | None:
    """Return a text that differs whenever a page of the list does, whoever sees it; None while its tests are changing.

    summaries: of its destinations, with tests as recent as `SETTLING_TIME` marked. beside: what else it shows.
    """
    if any(summary.changed is None or summary.changed.is_recent for summary in summaries):
        return None
    ages = [_list_age_limits(summary, now) for summary in summaries]
    return _digest([_find_period(now), beside, summaries, ages])


def find_page_version(visit: Visit, state: str | None, query: ListQuery) -> str | None:
    """Return a text that differs whenever this visitor's page does. state: of `find_state`."""
    if state is None:
        return None
    account = [visit.account.id, visit.account.time_zone, visit.role]
    return _digest([__version__, state, account, visit.workspace.name, query.as_query(), load_page_header(visit)])


def find_next_change(summaries: Sequence[DestinationSummary], now: datetime) -> datetime:
    """Return until when these rows show the same if nothing happens; `now` if one has to be drawn each time."""
    if not all(_is_settled(summary) for summary in summaries):
        return now
    period_end = datetime.fromtimestamp((_find_period(now) + 1) * LONGEST_REUSE.total_seconds(), UTC)
    return min([find_age_change(time, now) for summary in summaries for time in _list_times(summary)] + [period_end])


def find_row_version(summary: DestinationSummary, now: datetime) -> Hashable:
    """Return a value that differs whenever the row does, times included, for any role; None while its test is changing.

    summary: marked like those of `find_state`.
    """
    if not _is_settled(summary):
        return None
    ages = tuple(format_relative(time, now) for time in _list_times(summary))
    return (_find_period(now), summary, ages, *map(str, _list_age_limits(summary, now)))


def _is_settled(summary: DestinationSummary) -> bool:
    changed = summary.changed
    return changed is not None and not changed.is_recent and badge_for(changed.newest_status) is not Badge.PENDING


def _list_times(summary: DestinationSummary) -> list[datetime]:
    """Return the times whose age a row shows, or that decide what it shows."""
    accepted, changed = summary.proof.acceptance, summary.changed
    changed_at = read_stored_time(changed.changed_at) if changed else None
    times = (summary.tested_at, changed_at, accepted.at if accepted else None)
    return [time for time in times if time]


def _digest(parts: list[object]) -> str:
    return hashlib.blake2b(json.dumps(parts, default=str).encode(), digest_size=12).hexdigest()


def _find_period(now: datetime) -> float:
    return now.timestamp() // LONGEST_REUSE.total_seconds()


def _list_age_limits(summary: DestinationSummary, now: datetime) -> list[object]:
    """Return what a row shows only because time has passed."""
    idle = find_idle_warning(summary.proof.acceptance, summary.channel, Badge.SENT, now)
    return [sorted(find_gaps(summary, now)), idle]
