"""Computes the version of a list page, so that an open page that shows it already need not be sent again.

Each row has one too, so that it need not be drawn again.
"""

import hashlib
import json
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta

from webapp import __version__
from webapp.auth.access import Visit
from webapp.dashboard.badge_age import find_idle_warning
from webapp.dashboard.overview import ListQuery, describe_summaries
from webapp.dashboard.proof_gaps import find_gaps
from webapp.dashboard.summaries import DestinationSummary
from webapp.dashboard.time_format import format_relative
from webapp.deliveries.outcome import Badge, badge_for
from webapp.notices.page_header import load_page_header

# After a test changed, a page has no version for this long: an earlier test may still be under way, and its result
# appears in the sparkline only.
SETTLING_TIME = timedelta(minutes=2)

# Pages that are open for longer are sent again, for what no version covers, such as the names of workspaces.
LONGEST_REUSE = timedelta(minutes=10)


def find_list_version(
    visit: Visit, summaries: Sequence[DestinationSummary], query: ListQuery, now: datetime
) -> str | None:
    """Return a text that differs whenever this visitor's page does, times aside; None while tests are changing.

    summaries: those of all destinations of the workspace, with tests as recent as `SETTLING_TIME` marked.
    """
    if any(summary.changed is None or summary.changed.is_recent for summary in summaries):
        return None
    period = _find_period(now)
    account = [visit.account.id, visit.account.time_zone, visit.role]
    headline = describe_summaries(summaries, now)
    page = [__version__, period, account, visit.workspace.name, query.as_query(), headline, load_page_header(visit)]
    ages = [_list_age_limits(summary, now) for summary in summaries]
    return hashlib.blake2b(json.dumps([page, summaries, ages], default=str).encode(), digest_size=12).hexdigest()


def find_row_version(summary: DestinationSummary, now: datetime) -> Hashable:
    """Return what differs whenever the row does that a role sees, times included; None while its test is changing.

    summary: marked like those of `find_list_version`.
    """
    changed = summary.changed
    if changed is None or changed.is_recent or badge_for(changed.newest_status) is Badge.PENDING:
        return None
    accepted = summary.proof.acceptance
    times = (summary.tested_at, changed.changed_at, accepted.at if accepted else None)
    ages = tuple(format_relative(time, now) for time in times if time)
    return (_find_period(now), summary, ages, *map(str, _list_age_limits(summary, now)))


def _find_period(now: datetime) -> float:
    return now.timestamp() // LONGEST_REUSE.total_seconds()


def _list_age_limits(summary: DestinationSummary, now: datetime) -> list[object]:
    """Return what a row shows only because time has passed."""
    idle = find_idle_warning(summary.proof.acceptance, summary.channel, Badge.SENT, now)
    return [sorted(find_gaps(summary, now)), idle]
