"""Times in words, as pages show them."""

from datetime import UTC, datetime


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago a moment is, or how soon it comes: "12 s ago", "in 3 min"."""
    seconds = round((now - moment).total_seconds())
    if seconds == 0:
        return "just now"
    amount = _round_off(abs(seconds))
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def exact(moment: datetime) -> str:
    """Write a moment in full, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def server_time() -> str:
    """Tell the time to a page, whose own clock may be wrong."""
    return datetime.now(UTC).isoformat()


def _round_off(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
