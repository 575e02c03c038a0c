"""Makes the report of a period: all its numbers come from one state of the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from webapp.database.snapshots import begin_snapshot
from webapp.evidence.changes import Changes, load_changes
from webapp.evidence.completeness import Gap, Retention, find_complete_from, find_gaps
from webapp.evidence.counts import Counts, add_up
from webapp.evidence.incidents import Problem, RecordedTest, list_problems
from webapp.evidence.period import Period
from webapp.evidence.population import DestinationRecord, load_population
from webapp.evidence.switches import DisabledSpell
from webapp.evidence.unconfirmed import find_unconfirmed
from webapp.extensions import db
from webapp.models import Workspace


@dataclass(frozen=True)
class Report:
    """What a period's report says.

    gaps: why it is incomplete. problems: the first tests of each kind, oldest first; the totals count all.
    """

    period: Period
    made_at: datetime
    gaps: Sequence[Gap]
    destinations: Sequence[DestinationRecord]
    problems: Mapping[Problem, Sequence[RecordedTest]]
    changes: Changes

    @cached_property
    def totals(self) -> Counts:
        """Return the sums of the columns."""
        return add_up(record.counts for record in self.destinations)

    @property
    def complete_from(self) -> date | None:
        """Return the first day from which the report is complete; None if there is none in the period."""
        return find_complete_from(self.gaps, self.period)

    @property
    def added(self) -> int:
        """Return how many destinations were added in the period."""
        return _count(record.was_added for record in self.destinations)

    @property
    def deleted(self) -> list[DestinationRecord]:
        """Return the destinations that were deleted in the period."""
        return [record for record in self.destinations if record.was_deleted]

    @property
    def untested(self) -> list[DestinationRecord]:
        """Return the destinations without a completed test in the period."""
        return [record for record in self.destinations if not record.counts.is_tested]

    @property
    def disabled(self) -> list[tuple[DestinationRecord, DisabledSpell]]:
        """Return each time that a destination was disabled in the period."""
        return [(record, spell) for record in self.destinations for spell in record.disabled]


def make_report(workspace_id: int, period: Period, retention: Retention, now: datetime) -> Report:
    """Make the report of a period, as of now. Executes about twenty queries, whatever its size.

    They are in a transaction of its own, which is still open: whoever shows the report reads the same state.
    """
    begin_snapshot()
    unconfirmed = find_unconfirmed(workspace_id, period, now)
    added_at = db.session.get_one(Workspace, workspace_id).created_at
    population = load_population(workspace_id, period, unconfirmed)
    totals = add_up(record.counts for record in population)
    numbers = {Problem.FAILED: totals.failed, Problem.MISSING: totals.missing, Problem.UNCONFIRMED: totals.unconfirmed}
    return Report(
        period,
        now,
        find_gaps(period, added_at, retention, now),
        population,
        # None is looked for where none was counted: no index has the receipts.
        {
            problem: list_problems(workspace_id, period, problem, unconfirmed) if number else []
            for problem, number in numbers.items()
        },
        load_changes(workspace_id, period),
    )


def _count(holds: Iterable[bool]) -> int:
    return sum(holds)
