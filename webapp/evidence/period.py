"""The period of a report: days in a time zone, and the moments in UTC at which it begins and ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from webapp.text.cursors import parse_day
from webapp.time_zones import begin_of_day, end_of_day

# The longest period: a year, and a month before or after it.
MAX_DAYS = 400


class PeriodInvalid(Exception):
    """The requested days are not a valid period, or the period is too long. Its text says why, and what to do."""


@dataclass(frozen=True)
class Period:
    """The days from `since` to `until`, both included, in a zone."""

    since: date
    until: date
    zone: tzinfo = UTC

    @property
    def begins_at(self) -> datetime:
        """Return the moment at which the first day begins."""
        return begin_of_day(self.since, self.zone)

    @property
    def ends_at(self) -> datetime:
        """Return the moment at which the day after the last one begins, which is no longer in the period."""
        return end_of_day(self.until, self.zone)

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.until - self.since).days + 1

    def as_query(self) -> dict[str, str]:
        """Return the URL query parameters for this period."""
        return {"from": str(self.since), "to": str(self.until)}


def read_period(query: Mapping[str, str], zone: tzinfo | None, now: datetime) -> Period:
    """Read a period from URL query parameters; without any, it is the last full quarter. zone: None for UTC.

    Raises `PeriodInvalid`.
    """
    if not query.get("from") and not query.get("to"):
        return list_choices(zone, now)["Last quarter"]
    since, until = parse_day(query.get("from", "")), parse_day(query.get("to", ""))
    if since is None or until is None:
        raise PeriodInvalid("Enter the first and the last day of the period, each as year-month-day.")
    if until < since:
        raise PeriodInvalid("The last day is before the first one. Swap them.")
    period = Period(since, until, zone or UTC)
    if period.days > MAX_DAYS:
        raise PeriodInvalid(
            f"The period has {period.days:,} days. A report covers {MAX_DAYS} at most: choose a shorter period, "
            "or make several reports."
        )
    return period


def list_choices(zone: tzinfo | None, now: datetime) -> dict[str, Period]:
    """Return the periods that a link chooses, by their labels. zone: None for UTC."""
    chosen = zone or UTC
    today = now.astimezone(chosen).date()
    month, quarter = today.replace(day=1), today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    day = timedelta(days=1)
    return {
        "Last month": Period(_months_before(month, 1), month - day, chosen),
        "Last quarter": Period(_months_before(quarter, 3), quarter - day, chosen),
        "Last 12 months": Period(_months_before(month, 12), month - day, chosen),
        "This quarter": Period(quarter, today, chosen),
    }


def _months_before(first_of_month: date, months: int) -> date:
    """Return the first day of an earlier month."""
    years, month = divmod(first_of_month.month - 1 - months, 12)
    return first_of_month.replace(year=first_of_month.year + years, month=month + 1)
