"""Evidence: a report of a period, with every destination, its tests, what went wrong, and what was done about it."""

from webapp.evidence.completeness import Gap, RetentionPeriods, find_gaps
from webapp.evidence.export import write_destinations, write_tests
from webapp.evidence.period import MAX_DAYS, Period, PeriodInvalid, list_choices, read_period
from webapp.evidence.problem_tests import RecordedProblem
from webapp.evidence.report import Report, make_report

__all__ = [
    "MAX_DAYS",
    "Gap",
    "Period",
    "PeriodInvalid",
    "RecordedProblem",
    "Report",
    "RetentionPeriods",
    "find_gaps",
    "list_choices",
    "make_report",
    "read_period",
    "write_destinations",
    "write_tests",
]
