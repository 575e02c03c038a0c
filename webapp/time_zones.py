"""Time zones by their IANA names, and where the days of a zone begin."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

# What a machine's data may contain that is not a zone of its own.
_NOT_ZONES = frozenset({"Factory", "localtime", "posixrules"})

# The data that lists places and older names, whatever the machine has. Source: https://data.iana.org/time-zones/tz-link.html
_DATA = files("tzdata") / "zoneinfo"


@lru_cache(maxsize=1024)
def find_zone(name: str | None) -> ZoneInfo | None:
    """Return the zone with this name; None without a name, or if this machine's time zone data does not have it."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # no such zone, no such name at all, or a folder
        return None


def read_zone_name(text: str) -> str | None:
    """Return the name of a zone, given by a browser or a person; None if there is no such zone.

    Browsers report some zones by older names: "Asia/Katmandu" is "Asia/Kathmandu".
    """
    if text in list_places():
        return text
    name = _list_older_names().get(text, text)
    return "UTC" if name == "Etc/UTC" else name if name in _list_known() else None


@cache
def list_places() -> tuple[str, ...]:
    """Return the zones to choose from, in alphabetical order: those that are named after a place, by today's names."""
    rows = [line.split("\t") for line in _read_lines("zone.tab") if not line.startswith("#")]
    return tuple(sorted(row[2] for row in rows))


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
    return frozenset(available_timezones() - _NOT_ZONES)


@cache
def _list_older_names() -> dict[str, str]:
    """Return the names of today by older ones, and by those of places that share their zone."""
    links = (line.split() for line in _read_lines("tzdata.zi") if line.startswith("L "))
    return {older: name for _, name, older in links}


def _read_lines(name: str) -> list[str]:
    return (_DATA / name).read_text(encoding="utf-8").splitlines()
