"""Formats times for pages.

Where times are read as evidence, a page shows the exact ones in the reader's time zone, and how long ago they were.
Elsewhere it shows the latter alone. Both show the time in UTC on hover.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from webapp.models import database_clock

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
_DAY = timedelta(days=1)


def format_relative(moment: datetime, now: datetime) -> str:
    """Return the distance from `now` in the largest whole unit: "12 s ago", "in 3 min"; "just now" within 0.5 s."""
    seconds = round((now - moment).total_seconds())
    if seconds == 0:
        return "just now"
    amount = _format_duration(abs(seconds))
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def find_age_change(moment: datetime, now: datetime) -> datetime:
    """Return when the age of a past moment next changes, in the words of `format_relative` or in whole days.

    Returns `now` for a moment in the future.
    """
    age = now - moment
    seconds = round(age.total_seconds())
    if seconds < 0:
        return now
    size = next((size for _, size in _UNITS if seconds >= size), 1)
    words = timedelta(seconds=(seconds // size + 1) * size - 0.5)
    return moment + min(words, (age // _DAY + 1) * _DAY)


def format_exact(moment: datetime) -> str:
    """Return a moment in UTC to the second: "2026-05-04 09:30:07 UTC"."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def format_machine(moment: datetime) -> str:
    """Return a moment for scripts, to the millisecond: "2026-05-04T09:30:07.125Z"."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def format_moment(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Return a moment for a page that names the zone: "11:30:07", or "2026-05-03 11:30:07" if that is not today.

    If the zone's offset then differs from the present one, the text ends with it: "2026-01-04 10:30:07 UTC+01:00".
    zone: None for UTC.
    """
    local, today = moment.astimezone(zone or UTC), now.astimezone(zone or UTC)
    text = f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M:%S}"
    return text if local.utcoffset() == today.utcoffset() else f"{text} {_format_offset(local)}"


def format_local(moment: datetime, zone: tzinfo | None) -> str:
    """Return a moment for a page that does not name the zone: "2026-05-04 11:30:07 UTC+02:00". zone: None for UTC."""
    local = moment.astimezone(zone or UTC)
    return f"{local:%Y-%m-%d %H:%M:%S} {_format_offset(local)}"


def format_clock(moment: datetime, zone: tzinfo | None) -> str:
    """Return the time of day of a moment that is near: "11:30:07 UTC+02:00". zone: None for UTC."""
    local = moment.astimezone(zone or UTC)
    return f"{local:%H:%M:%S} {_format_offset(local)}"


def format_weekday_time(moment: datetime, zone: tzinfo) -> str:
    """Return a moment for a page that names the zone, with its weekday: "Tue 2026-05-05 10:20"."""
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def describe_zone(now: datetime, zone: ZoneInfo | None) -> str:
    """Return a zone's name and its present offset: "Europe/Berlin, UTC+02:00"; "UTC" for that and for None."""
    if zone is None or zone.key == "UTC":
        return "UTC"
    return f"{zone.key.replace('_', ' ')}, {_format_offset(now.astimezone(zone))}"


def format_day(moment: datetime, zone: tzinfo | None) -> str:
    """Return the day of a moment: "2026-05-04". zone: None for UTC."""
    return f"{moment.astimezone(zone or UTC):%Y-%m-%d}"


def server_time() -> str:
    """Return the server's time in ISO 8601, because a browser's clock may be wrong."""
    return database_clock.estimate().isoformat()


def _format_offset(local: datetime) -> str:
    """Return the offset from UTC: "UTC+05:45", or "UTC" if there is none."""
    offset = local.utcoffset() or timedelta()
    hours, minutes = divmod(round(abs(offset).total_seconds() / 60), 60)
    return f"UTC{'-' if offset < timedelta() else '+'}{hours:02}:{minutes:02}" if offset else "UTC"


def _format_duration(seconds: int) -> str:
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
