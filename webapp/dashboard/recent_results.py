"""Loads a destination's recent results: the badges of its last test sends, shown as a sparkline."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, String, bindparam, case, cast, func, literal_column, select

from webapp.deliveries.badge import Badge, badge_for
from webapp.deliveries.newest_deliveries import select_newest_tests
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus
from webapp.models.inline_value import inline

# Test sends per sparkline.
RECENT_COUNT = 20

# What follows the status of a drill in the text that the query returns.
_DRILL = "+"

# Not a bound string: SQLAlchemy would write it into the statement again at each execution.
_SEPARATOR: Any = literal_column("','")


class RecentResult(NamedTuple):
    """What came of a test send. is_drill: whether it was a drill."""

    badge: Badge
    is_drill: bool


_RESULTS = {
    f"{status}{mark}": RecentResult(badge_for(status), mark == _DRILL)
    for status in DeliveryStatus
    for mark in ("", _DRILL)
}


def list_recent_results(destination_ids: Sequence[int]) -> dict[int, list[RecentResult]]:
    """Return each destination's recent results, oldest first. Executes one query."""
    rows = db.session.execute(_RECENT_RESULTS, {"destination_ids": destination_ids})
    return {destination_id: parse_recent_results(results) for destination_id, results in rows}


def recent_results_subquery() -> ScalarSelect[str]:
    """Return a subquery for a destination's recent results, in the format that `parse_recent_results` reads."""
    result = cast(AlertDelivery.status, String) + case((AlertDelivery.drill.is_(None), ""), else_=_DRILL)
    newest = select_newest_tests(result.label("result")).limit(inline(RECENT_COUNT)).subquery()
    return select(func.aggregate_strings(newest.c.result, _SEPARATOR)).correlate(AlertDestination).scalar_subquery()


def parse_recent_results(results: str | None) -> list[RecentResult]:
    """Return results, oldest first. results: comma-separated, newest first; None if there are none."""
    return [_RESULTS[result] for result in reversed(results.split(","))] if results else []


def describe_results(results: Sequence[RecentResult]) -> str:
    """Return recent results as text: "15 sent (drill), failed, 4 sent"."""
    runs = [(result, sum(1 for _ in run)) for result, run in groupby(results)]
    return ", ".join(
        f"{f'{count} ' if count > 1 else ''}{badge}{' (drill)' if is_drill else ''}"
        for (badge, is_drill), count in runs
    )


def count_runs(results: Sequence[RecentResult]) -> list[tuple[Badge, int]]:
    """Return each run of the same badge, and how many results it has."""
    return [(badge, sum(1 for _ in run)) for badge, run in groupby(result.badge for result in results)]


# Built once, because every list page executes it.
_RECENT_RESULTS = select(AlertDestination.id, recent_results_subquery()).where(
    AlertDestination.id.in_(bindparam("destination_ids", expanding=True))
)
