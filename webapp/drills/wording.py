"""Words for the schedule of drills, for its page and for the audit trail."""

from datetime import timedelta

from webapp.models import DrillInterval

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

INTERVALS = {
    DrillInterval.WEEKLY: "Every week",
    DrillInterval.MONTHLY: "Every 4 weeks",
    DrillInterval.QUARTERLY: "Every 13 weeks",
}


def describe_weekdays(digits: str) -> str:
    """Return ISO weekdays by name: "135" is "Monday, Wednesday, Friday"."""
    return "every day" if len(digits) == len(WEEKDAYS) else ", ".join(WEEKDAYS[int(digit) - 1] for digit in digits)


def describe_hours(from_hour: int, to_hour: int) -> str:
    """Return the hours of a window: "10:00 to 16:00"; "22:00 to 06:00 of the next day"."""
    is_next_day = to_hour <= from_hour
    return f"{from_hour:02}:00 to {to_hour:02}:00{' of the next day' if is_next_day else ''}"


def measure_hours(from_hour: int, to_hour: int) -> timedelta:
    """Return the length of a window on the clock."""
    return timedelta(hours=(to_hour - from_hour) % 24 or 24)
