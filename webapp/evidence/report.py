"""Makes the report of a period: all its numbers come from one state of the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from webapp.database.snapshots import begin_snapshot
from webapp.evidence.changes import Changes, load_changes
from webapp.evidence.completeness import Gap, RetentionPeriods, find_complete_from, find_gaps
from webapp.evidence.counts import Counts, add_up, load_counts
from webapp.evidence.destinations_in_period import DestinationRecord, load_destination_records
from webapp.evidence.disabled_periods import DisabledSpell
from webapp.evidence.follow_ups import FollowUps
from webapp.evidence.period import Period
from webapp.evidence.problem_tests import RecordedProblem, RecordedTest, add_follow_ups, add_seen_tests, list_problems
from webapp.evidence.unconfirmed import find_end, find_unconfirmed
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
    problems: Mapping[RecordedProblem, Sequence[RecordedTest]]
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
        return sum(record.was_added for record in self.destinations)

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


def make_report(workspace_id: int, period: Period, retention: RetentionPeriods, now: datetime) -> Report:
    """Make the report of a period, as of now. Executes about twenty queries, and a few for each span of deliveries.

    They are in a transaction of its own, which is still open: whoever shows the report reads the same state.
    """
    begin_snapshot()
    unconfirmed = find_unconfirmed(workspace_id, period, now)
    added_at = db.session.get_one(Workspace, workspace_id).created_at
    counted = load_counts(workspace_id, period)
    records = load_destination_records(workspace_id, period, counted, unconfirmed)
    others = counted.by_destination.keys() - {record.destination.id for record in records}
    totals = add_up(record.counts for record in records)
    problems = {
        # None is looked for where none was counted: no index has the receipts.
        each: list_problems(each, counted.spans, unconfirmed.values(), others) if getattr(totals, each.value) else []
        for each in RecordedProblem
    }
    return Report(
        period,
        now,
        find_gaps(period, added_at, retention, now),
        records,
        _add_follow_ups(workspace_id, problems, find_end(period, now)),
        load_changes(workspace_id, period),
    )


def _add_follow_ups(
    workspace_id: int, problems: Mapping[RecordedProblem, Sequence[RecordedTest]], end: datetime
) -> Mapping[RecordedProblem, Sequence[RecordedTest]]:
    """Return the tests with what followed. Only the page of unconfirmed destinations shows the next test that was seen.

    end: that of the period. None that was requested before it was seen, or its destination would be confirmed.
    """
    listed = [record for records in problems.values() for record in records]
    follow_ups = FollowUps(workspace_id, {record.destination.id for record in listed})
    if listed:
        follow_ups.read_changes(min(record.known_at for record in listed))
    found = {problem: add_follow_ups(records, follow_ups) for problem, records in problems.items()}
    if found[RecordedProblem.UNCONFIRMED]:
        follow_ups.read_seen_tests(end)
    return found | {RecordedProblem.UNCONFIRMED: add_seen_tests(found[RecordedProblem.UNCONFIRMED], follow_ups)}
