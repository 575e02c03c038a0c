"""Reads the form of a workspace's schedule of drills, and says what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from webapp.drills.editing import DrillTimes
from webapp.drills.wording import WEEKDAYS
from webapp.models import DrillInterval, DrillSchedule
from webapp.time_zones import read_zone_name

NO_INTERVAL = "Choose how often drills run."
NO_WEEKDAY = "Choose at least one weekday."
NO_HOUR = "Choose a full hour."
NO_TIME_BETWEEN = "The drills would end when they begin. Choose another hour."
NO_ZONE = "Choose a time zone from the list."

_DIGITS = frozenset(str(number) for number in range(1, len(WEEKDAYS) + 1))


@dataclass(frozen=True)
class ScheduleForm:
    """What is typed, or stored, by field. errors: what is wrong with a field, by its name."""

    interval: str
    weekdays: frozenset[str]
    from_hour: str
    to_hour: str
    zone: str
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def times(self) -> DrillTimes | None:
        """When drills run, or None if a field is wrong."""
        if self.errors:
            return None
        digits = "".join(sorted(self.weekdays))
        zone = read_zone_name(self.zone) or ""
        return DrillTimes(DrillInterval(self.interval), digits, int(self.from_hour), int(self.to_hour), zone)


# What the form of a workspace that never had drills offers. Few people are surprised by a message at these hours.
USUAL = ScheduleForm(DrillInterval.WEEKLY.value, frozenset("12345"), "10", "16", "")


def fill_form(schedule: DrillSchedule | None, zone: ZoneInfo | None) -> ScheduleForm:
    """Return the form as it is stored, or with what is usual. zone: that of whoever is shown the page."""
    if schedule is None:
        return replace(USUAL, zone=zone.key if zone else "")
    hours = str(schedule.from_hour), str(schedule.to_hour)
    return ScheduleForm(schedule.interval.value, frozenset(schedule.weekdays), *hours, schedule.time_zone)


def read_form(typed: Mapping[str, str], weekdays: Sequence[str]) -> ScheduleForm:
    """Return the form as somebody typed it, with its errors."""
    values = {name: typed.get(name, "") for name in ("interval", "from_hour", "to_hour", "zone")}
    days = frozenset(weekdays) & _DIGITS
    typed_form = ScheduleForm(values["interval"], days, values["from_hour"], values["to_hour"], values["zone"])
    return replace(typed_form, errors=dict(_find_errors(values, days)))


def _find_errors(values: Mapping[str, str], weekdays: frozenset[str]) -> list[tuple[str, str]]:
    errors = []
    if values["interval"] not in list(DrillInterval):
        errors.append(("interval", NO_INTERVAL))
    if not weekdays:
        errors.append(("weekdays", NO_WEEKDAY))
    is_from, is_to = _is_hour(values["from_hour"], 0, 23), _is_hour(values["to_hour"], 1, 24)
    if not is_from:
        errors.append(("from_hour", NO_HOUR))
    if not is_to:
        errors.append(("to_hour", NO_HOUR))
    if is_from and is_to and values["from_hour"] == values["to_hour"]:
        errors.append(("to_hour", NO_TIME_BETWEEN))
    if read_zone_name(values["zone"]) is None:
        errors.append(("zone", NO_ZONE))
    return errors


def _is_hour(text: str, first: int, last: int) -> bool:
    return text in {str(hour) for hour in range(first, last + 1)}
