"""Counts the tests and the real alerts of each destination in a period."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, and_, func, select

from webapp.deliveries.arrival import UNCERTAIN_CODES
from webapp.evidence.delivery_spans import Span, list_spans
from webapp.evidence.period import Period
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus, DrillNumber, Receipt

_UNSENT = (DeliveryStatus.CANCELED, DeliveryStatus.SUPPRESSED)


@dataclass(frozen=True)
class Counts:
    """How many tests and real alerts there were.

    by_people, first_drills, second_drills: who requested the tests. accepted, failed, not_sent, under_way: what became
        of them. Each of the two sums is the number of tests.
    may_have_arrived: of the failed ones. seen: those that somebody has seen, whatever became of them.
    missing: of the accepted ones, those reported missing.
    unconfirmed: 1 for a destination that was unconfirmed at the end of the period.
    """

    by_people: int = 0
    first_drills: int = 0
    second_drills: int = 0
    accepted: int = 0
    failed: int = 0
    not_sent: int = 0
    under_way: int = 0
    may_have_arrived: int = 0
    seen: int = 0
    missing: int = 0
    unconfirmed: int = 0
    alerts_accepted: int = 0
    alerts_failed: int = 0
    alerts_other: int = 0

    @property
    def tests(self) -> int:
        """Return the number of tests."""
        return self.by_people + self.first_drills + self.second_drills

    @property
    def alerts(self) -> int:
        """Return the number of real alerts."""
        return self.alerts_accepted + self.alerts_failed + self.alerts_other

    @property
    def is_tested(self) -> bool:
        """Whether a test was made: one that was canceled or still waits is none."""
        return self.accepted + self.failed > 0


COUNTED = tuple(field.name for field in fields(Counts))


def add_up(counts: Iterable[Counts]) -> Counts:
    """Return the sum, column by column."""
    rows = list(counts)
    return Counts(**{name: sum(map(attrgetter(name), rows)) for name in COUNTED})


def is_in_period(workspace_id: int, period: Period) -> ColumnElement[bool]:
    """Return the condition for the deliveries that were requested in a period."""
    return and_(
        AlertDelivery.workspace_id == workspace_id,
        AlertDelivery.created_at >= period.begins_at,
        AlertDelivery.created_at < period.ends_at,
    )


@dataclass(frozen=True)
class CountedSpan:
    """A span of the period with what was counted in it. receipts: the tests with a receipt."""

    span: Span
    counts: Counts
    receipts: int


@dataclass(frozen=True)
class PeriodCounts:
    """What was counted in a period: by the id of the destination, and by span."""

    by_destination: Mapping[int, Counts]
    spans: Sequence[CountedSpan]


def load_counts(workspace_id: int, period: Period) -> PeriodCounts:
    """Return the counts of each destination that has a delivery in the period. Reads each delivery once.

    They lack `unconfirmed`, which is not a number of deliveries.
    """
    by_destination: dict[int, Counter[str]] = defaultdict(Counter)
    spans = []
    for span in list_spans(workspace_id, period.begins_at, period.ends_at):
        of_span: Counter[str] = Counter()
        for destination_id, *facts, number in db.session.execute(_select_groups(span)):
            for name in _count(*facts):
                by_destination[destination_id][name] += number
                of_span[name] += number
        receipts = of_span.pop(_RECEIPTS, 0)
        spans.append(CountedSpan(span, Counts(**of_span), receipts))
    return PeriodCounts({key: _make_counts(numbers) for key, numbers in by_destination.items()}, spans)


def _make_counts(numbers: Counter[str]) -> Counts:
    return Counts(**{name: numbers[name] for name in COUNTED})


def _select_groups(span: Span) -> Select[*tuple[Any, ...]]:
    """Return the query for the numbers of deliveries that have in common whatever counts."""
    is_test = AlertDelivery.event_type == TEST_EVENT
    is_uncertain = func.coalesce(AlertDelivery.last_error_code, "").in_(sorted(UNCERTAIN_CODES))
    groups = (AlertDelivery.alert_destination_id, is_test, AlertDelivery.status)
    details = (AlertDelivery.drill, AlertDelivery.receipt, is_uncertain)
    # Grouped by label, because PostgreSQL takes an expression with parameters for another one each time.
    columns: list[Label[Any]] = [column.label(f"group_{number}") for number, column in enumerate((*groups, *details))]
    query = select(*columns, func.count().label("number")).where(span.contains())
    return query.group_by(*(column.name for column in columns))


# Counted in a span, and no column of the report.
_RECEIPTS = "receipts"


@lru_cache(maxsize=1024)  # there are few combinations, and a group for each destination
def _count(
    is_test: bool,
    status: DeliveryStatus,
    drill: DrillNumber | None,
    receipt: Receipt | None,
    is_uncertain: bool,
) -> tuple[str, ...]:
    """Return the columns that a delivery counts in, and `_RECEIPTS`."""
    if not is_test:
        kind = {DeliveryStatus.SENT: "accepted", DeliveryStatus.FAILED: "failed"}.get(status, "other")
        return (f"alerts_{kind}",)
    is_accepted, is_failed = status is DeliveryStatus.SENT, status is DeliveryStatus.FAILED
    requested = {None: "by_people", DrillNumber.FIRST: "first_drills", DrillNumber.SECOND: "second_drills"}[drill]
    became = "accepted" if is_accepted else "failed" if is_failed else "not_sent" if status in _UNSENT else "under_way"
    also: dict[str, Any] = {
        "may_have_arrived": is_failed and is_uncertain,
        "seen": receipt is Receipt.SEEN,
        "missing": is_accepted and receipt is Receipt.MISSING,
        _RECEIPTS: receipt is not None,
    }
    return (requested, became, *(name for name, holds in also.items() if holds))
