"""Computes the version of a list page, so that an open page that shows it already need not be sent again."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from webapp import __version__
from webapp.auth.access import Visit
from webapp.dashboard.badge_age import find_idle_warning
from webapp.dashboard.overview import ListQuery, describe_summaries
from webapp.dashboard.proof_gaps import find_gaps
from webapp.dashboard.summaries import DestinationSummary
from webapp.deliveries.outcome import Badge
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
    period = now.timestamp() // LONGEST_REUSE.total_seconds()
    account = [visit.account.id, visit.account.time_zone, visit.role]
    headline = describe_summaries(summaries, now)
    page = [__version__, period, account, visit.workspace.name, query.as_query(), headline, load_page_header(visit)]
    ages = [_list_age_limits(summary, now) for summary in summaries]
    return hashlib.blake2b(json.dumps([page, summaries, ages], default=str).encode(), digest_size=12).hexdigest()


def _list_age_limits(summary: DestinationSummary, now: datetime) -> list[object]:
    """Return what a row shows only because time has passed."""
    idle = find_idle_warning(summary.proof.acceptance, summary.channel, Badge.SENT, now)
    return [sorted(find_gaps(summary, now)), idle]
