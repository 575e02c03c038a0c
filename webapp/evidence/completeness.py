"""Finds what a report cannot know of its period, because it was deleted, was not there, or has not happened yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from webapp.evidence.period import Period
from webapp.time_zones import begin_of_day


@dataclass(frozen=True)
class RetentionPeriods:
    """How long deliveries and audit events are kept; None for ever."""

    deliveries: timedelta | None
    audit: timedelta | None


@dataclass(frozen=True)
class Gap:
    """A part of the period that is missing.

    reason: a sentence. complete_from: the first day that is complete; None if it is the end that is missing.
    """

    reason: str
    complete_from: date | None = None


def find_gaps(period: Period, workspace_added_at: datetime, retention: RetentionPeriods, now: datetime) -> list[Gap]:
    """Return why a report of the period is incomplete, in the order of time; empty if it is complete."""
    begins = {
        "This workspace did not exist before {}.": workspace_added_at,
        _describe_deletion("tests, alerts and receipts", retention.deliveries): _limit(now, retention.deliveries),
        _describe_deletion("audit events", retention.audit): _limit(now, retention.audit),
    }
    gaps = [
        Gap(reason.format(_describe(known_since)), _first_full_day(known_since, period.zone))
        for reason, known_since in sorted(begins.items(), key=lambda item: item[1])
        if known_since > period.begins_at
    ]
    if period.ends_at > now:
        gaps.append(Gap(f"The period has not ended: what happens after {_describe(now)} is not in this report."))
    return gaps


def find_complete_from(gaps: Sequence[Gap], period: Period) -> date | None:
    """Return the first day from which all is known; None if there is no such day in the period."""
    day = max((gap.complete_from for gap in gaps if gap.complete_from), default=period.since)
    return day if day <= period.until else None


def _limit(now: datetime, keep: timedelta | None) -> datetime:
    return now - keep if keep else datetime.min.replace(tzinfo=UTC)


def _describe_deletion(what: str, keep: timedelta | None) -> str:
    days = keep.days if keep else 0
    whose = "Your Alertcheck administrator has set that"
    return f"{whose} {what} are deleted after {days} days: some from before {{}} are gone."


def _describe(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _first_full_day(moment: datetime, zone: tzinfo) -> date:
    """Return the first day of a zone that begins at a moment or after it."""
    day = moment.astimezone(zone).date()
    return day if begin_of_day(day, zone) >= moment else day + timedelta(days=1)
