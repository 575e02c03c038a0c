"""Decides what a receiver's HTTP response means: accepted, accepted with a warning, or a failure with its code.

The receiver's own word decides first, then the status.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from webapp.failures import CHECK_ACCEPTED, Cause, Code, DeliveryFailed, Facts
from webapp.outbound.http.client import HttpResponse
from webapp.outbound.http.gateway_pages import find_challenge, recognize_page
from webapp.outbound.http.reported_errors import reports_error
from webapp.outbound.http.retry_after import MAX_RETRY_AFTER, limit_retry_after, read_retry_after
from webapp.outbound.http.status_classification import classify_status

# A service's own words for what went wrong, and the code of each.
Words = Mapping[str, Code]

_NO_WORDS: Words = MappingProxyType({})
_CODES_WITH_RETRY_AFTER = frozenset({Code.RATE_LIMITED, Code.REMOTE_UNAVAILABLE})

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
# A comment ends at its first end (an atomic group): otherwise, comments in a row could be divided in ever more ways.
_HTML_START = re.compile(
    rb"(?>\xef\xbb\xbf|\xff\xfe|\xfe\xff|\s|<!--.*?-->|<\?xml[^>]*>)*"
    rb"<(?:!doctype\s+html|html|head|body|title|meta|script|center|h1)[\s>]",
    re.IGNORECASE | re.DOTALL,
)


def check_response(
    response: HttpResponse,
    host: str | None,
    word: str | None = None,
    words: Words = _NO_WORDS,
    retry_after: object = None,
) -> str | None:
    """Return a warning, or None, if the response accepts the message. Raises `DeliveryFailed` for every other response.

    host: the receiver's, to be shown. word: the service's own word in this response, if `words` has it.
    retry_after: the seconds that its body names, which count if there is no valid Retry-After header.
    """
    own_code = words.get(word or "")
    challenge = find_challenge(response.headers)
    if challenge is not None and own_code is None:
        raise make_failure(Code.FORBIDDEN, response, host, cause=challenge)
    code = own_code or _classify(response)
    if code is not None:
        raise make_failure(code, response, host, word, retry_after)
    if is_web_page(response):
        return f"{host} answered with a web page, as sign-in and error pages do. {CHECK_ACCEPTED}"
    if reports_error(response.body):
        return f"{host} answered {response.status}, but its response reports an error. {CHECK_ACCEPTED}"
    return None


def make_failure(
    code: Code,
    response: HttpResponse,
    host: str | None,
    word: str | None = None,
    retry_after: object = None,
    cause: Cause | None = None,
) -> DeliveryFailed:
    """Return the failure with everything of the response that may be shown. cause: if it is known more exactly."""
    now = datetime.now(UTC)
    wait = _find_wait(response, retry_after, now) if code in _CODES_WITH_RETRY_AFTER else None
    facts = Facts(
        host=host,
        status=response.status,
        token=word,
        cause=cause,
        target=response.redirect_host,
        wait=wait,
        wait_until=None if wait is None or wait >= MAX_RETRY_AFTER else now + timedelta(seconds=wait),
    )
    return DeliveryFailed(code, facts, retry_after=wait)


def explain_missing_word(response: HttpResponse, host: str | None, status: int) -> DeliveryFailed:
    """Return the failure for a response of 2xx without the word with which its service accepts a message.

    Only a whole response that can be read, with something else in it, says that the message was not accepted.
    status: what the service answers with that word.
    """
    if response.broken_by is not None:
        return make_failure(response.broken_by, response, host)
    if is_web_page(response):
        return make_failure(Code.SIGN_IN_PAGE, response, host, cause=Cause.WEB_PAGE)
    if response.status != status:
        return make_failure(Code.UNEXPECTED_STATUS, response, host)
    is_whole = response.complete and not _is_compressed(response) and not _is_broken_json(response.body)
    says_no = is_whole and response.body.strip() != b""
    return make_failure(Code.REMOTE_REJECTED if says_no else Code.INVALID_RESPONSE, response, host)


def _is_broken_json(body: bytes) -> bool:
    """Check for JSON that cannot be parsed. Without a length, a body that was cut off seems to be complete."""
    if not body.lstrip().startswith((b"{", b"[")):
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return True
    return False


def _is_compressed(response: HttpResponse) -> bool:
    """Check for a body that cannot be read, although the request asked for a plain one."""
    return response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")


def _find_wait(response: HttpResponse, retry_after: object, now: datetime) -> float | None:
    by_header = read_retry_after(response.headers, now)
    return limit_retry_after(retry_after) if by_header is None else by_header


def is_web_page(response: HttpResponse) -> bool:
    """Check for a web page, declared as one or not. It has a tag: Slack, PHP and others call every "ok" HTML."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body = response.body.replace(b"\0", b"")  # UTF-16
    may_have_tag = b"<" in body or (body != b"" and _is_compressed(response))
    return (media_type in _HTML_TYPES and may_have_tag) or _HTML_START.match(body) is not None


def _classify(response: HttpResponse) -> Code | None:
    return recognize_page(response.status, response.body) or classify_status(response.status)
