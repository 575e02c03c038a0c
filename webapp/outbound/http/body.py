"""Reads the first bytes of a response's body, and finds out why the rest is missing."""

from http.client import HTTPException, IncompleteRead, LineTooLong

from requests import Response
from urllib3.exceptions import HTTPError

from webapp.failures import Code


def read_body(response: Response, limit: int) -> tuple[bytes, bool, Code | None]:
    """Return the first `limit` bytes, whether the body ended, and why not; None if it is only longer.

    Raises nothing, because the status is known.
    """
    body = b""
    try:
        while len(body) <= limit:
            chunk = response.raw.read1(limit + 1 - len(body), decode_content=False)
            if not chunk:
                return body, True, None
            body += chunk
    except (OSError, HTTPException, HTTPError, ValueError) as error:
        return body[:limit], False, _classify_error(error.__cause__ or error)
    return body[:limit], False, None


def _classify_error(error: BaseException) -> Code | None:
    """Return the code for an error of the connection or of the framing, which urllib3 wraps in its own."""
    match error:
        case TimeoutError():
            return Code.DEADLINE_EXCEEDED
        case LineTooLong():
            return None
        case OSError() | IncompleteRead():
            return Code.CONNECTION_CLOSED
    return Code.INVALID_RESPONSE
