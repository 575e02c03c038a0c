"""Maps an HTTP status to a failure code, and reads how long the receiver asks us to wait."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.http.client import HttpResponse

# Seconds. Longer waits are reduced to this.
MAX_RETRY_AFTER = 3600.0

_CODES = {
    400: Code.BAD_REQUEST,
    401: Code.AUTH_FAILED,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    410: Code.GONE,
    413: Code.PAYLOAD_TOO_LARGE,
    422: Code.BAD_REQUEST,
    429: Code.RATE_LIMITED,
    502: Code.REMOTE_UNAVAILABLE,
    503: Code.REMOTE_UNAVAILABLE,
    504: Code.REMOTE_UNAVAILABLE,
}
_CODES_BY_CLASS = {3: Code.REDIRECT_REFUSED, 5: Code.REMOTE_ERROR}
_CODES_WITH_RETRY_AFTER = frozenset({Code.RATE_LIMITED, Code.REMOTE_UNAVAILABLE})

_SECONDS = re.compile(r"[0-9]{1,9}")
_DATE = re.compile(r"[A-Z][a-z]{2,8},? [ -~]{17,27}")


def raise_for_status(response: HttpResponse, host: str | None) -> None:
    """Return for any 2xx; raise `DeliveryFailed` for every other status."""
    code = classify_status(response.status)
    if code is None:
        return
    facts = Facts(host=host, status=response.status)
    retry_after = response.headers.get("Retry-After") if code in _CODES_WITH_RETRY_AFTER else None
    raise DeliveryFailed(code, facts, retry_after=parse_retry_after(retry_after, datetime.now(UTC)))


def classify_status(status: int) -> Code | None:
    """Return the failure code of an HTTP status, or None for any 2xx."""
    if 200 <= status < 300:
        return None
    return _CODES.get(status) or _CODES_BY_CLASS.get(status // 100, Code.UNEXPECTED_STATUS)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, between 0 and `MAX_RETRY_AFTER`, or None if it is malformed.

    Accepts whole seconds or an HTTP date (RFC 9110, 10.2.3 and 5.6.7).
    """
    if text is None:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text), MAX_RETRY_AFTER)
    date = _read_date(text)
    return None if date is None else min(max((date - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _read_date(text: str) -> datetime | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)  # the asctime form has no time zone and means UTC
