"""Reads how long a receiver asks us to wait (RFC 9110, sections 10.2.3 and 5.6.7)."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Seconds. Longer waits are reduced to this: a month, until a monthly quota begins anew.
MAX_RETRY_AFTER = 31 * 24 * 3600.0

_SECONDS = re.compile(r"[0-9]{1,9}")
_DATE = re.compile(r"[A-Z][a-z]{2,8},? [ -~]{17,27}")


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a response's headers ask to wait, or None if they do not.

    A date is compared with the receiver's own, if it names it: its clock may differ from ours.
    """
    text, date = (headers.get(name, "").strip(" \t") for name in ("Retry-After", "Date"))
    return parse_retry_after(text, _read_date(date) or now)


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, between 0 and `MAX_RETRY_AFTER`, or None if it is malformed.

    Accepts whole seconds or an HTTP date.
    """
    if _SECONDS.fullmatch(text):
        return min(float(text), MAX_RETRY_AFTER)
    date = _read_date(text)
    return None if date is None else min(max((date - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def limit_retry_after(seconds: object) -> float | None:
    """Return the seconds that a service names in its own JSON, limited as those of the header; None if malformed."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        return None
    return float(min(seconds, MAX_RETRY_AFTER))


def _read_date(text: str) -> datetime | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)  # the asctime form has no time zone and means UTC
