"""Formats times for pages."""

from datetime import UTC, datetime

from webapp.models import database_clock


def format_relative(moment: datetime, now: datetime) -> str:
    """Return the distance from `now` in the largest whole unit: "12 s ago", "in 3 min"; "just now" within 0.5 s."""
    seconds = round((now - moment).total_seconds())
    if seconds == 0:
        return "just now"
    amount = _format_duration(abs(seconds))
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def format_exact(moment: datetime) -> str:
    """Return a moment in UTC to the second: "2026-05-04 09:30:07 UTC"."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def format_clock(moment: datetime) -> str:
    """Return the time of day in UTC to the second: "09:30:07 UTC"."""
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def format_day(moment: datetime) -> str:
    """Return the day of a moment in UTC: "2026-05-04"."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def server_time() -> str:
    """Return the server's time in ISO 8601, because a browser's clock may be wrong."""
    return database_clock.estimate().isoformat()


def _format_duration(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
