"""Time zones by their IANA names, and where the days of a zone begin."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

# The longest name that is stored; the longest one that exists has 32.
MAX_NAME = 64

# Where the zones of places are. The other names, such as EST5EDT or GB, are older ones for the same zones.
_AREAS = frozenset(
    {*("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")}
)
# What a machine's data may contain that is no zone of its own.
_NOT_ZONES = frozenset({"Factory", "localtime", "posixrules"})


@lru_cache(maxsize=1024)
def find_zone(name: str | None) -> ZoneInfo | None:
    """Return the zone with this name; None without a name, or if this machine's time zone data does not have it."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # no such zone, no such name at all, or a folder
        return None


def is_known(name: str) -> bool:
    """Return whether a name that a browser or a person gave is one of a time zone."""
    return name in _list_known()


@cache
def list_places() -> tuple[str, ...]:
    """Return the names that a person may choose from, in alphabetical order: those that are named after places."""
    return tuple(sorted(name for name in _list_known() if name.partition("/")[0] in _AREAS))


def begin_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the moment in UTC at which a day begins. Where clocks skip midnight, that is when they do.

    For a day at the end of time, return the nearest moment that there is.
    """
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time.min, UTC)


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the moment in UTC at which the next day begins."""
    return begin_of_day(day + timedelta(days=1), zone) if day < date.max else datetime.max.replace(tzinfo=UTC)


@cache
def _list_known() -> frozenset[str]:
    return frozenset(name for name in available_timezones() - _NOT_ZONES if len(name) <= MAX_NAME)
