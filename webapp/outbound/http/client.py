"""Posts one message to an untrusted address and returns the response, within fixed limits of time and size."""

from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from time import monotonic

from requests import Request, Response
from urllib3.exceptions import HTTPError

from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.http.exchange import Exchange, ExchangeAdapter
from webapp.outbound.http.media_types import name_media_type
from webapp.outbound.policy.redirects import find_redirect_host
from webapp.outbound.policy.urls import Policy, Target, check_url
from webapp.outbound.transport.connect import open_connection
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.dns import Resolver, system_resolver
from webapp.outbound.transport.limits import LIMITS, MAX_BODY, Limits

_OWN_HEADERS = {"User-Agent": "Alertcheck", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True)
class HttpResponse:
    """The receiver's response. Headers and body may hold anything: classify them, but never show them.

    headers: a mapping whose names ignore case.
    body: the first `MAX_BODY` bytes at most, not decoded.
    seconds: the time from the call to the end of the response.
    complete: False if the body was longer, cut off by the deadline or badly framed.
    redirect_host: the host that a redirect leads to, or None if there is none that may be shown.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float
    complete: bool = True
    redirect_host: str | None = None


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy,
    hosts: tuple[str, ...] | None = None,
    resolver: Resolver = system_resolver,
    limits: Limits = LIMITS,
    recorder: ExchangeRecorder | None = None,
) -> HttpResponse:
    """Send `body` to `url` once, if the policy allows it. Returns the response with any final status.

    Does not follow redirects. hosts: see `check_url`. recorder: collects the facts, also of an exchange that fails.
    Raises `DeliveryFailed`, which contains the host but never the address, if there is no response.
    """
    started = monotonic()
    target, recorder = check_url(url, policy, hosts), recorder or ExchangeRecorder()
    with (
        recorder,
        Deadline(limits.whole) as deadline,
        closing(open_connection(target, policy, resolver, deadline, limits, recorder)) as connection,
    ):
        exchange = Exchange(target, connection, deadline, limits, recorder)
        with closing(_send(target, body, headers, exchange)) as response:
            kept, ended = _read_body(response)
            complete = ended and not deadline.hit  # a body without a length seems to end where the deadline cut it
            recorder.end(is_complete=not deadline.hit)
    redirect_host = _find_redirect_host(response, target, policy)
    media_type = name_media_type(response.headers.get("Content-Type"))
    recorder.note_response(media_type, len(kept), not complete, redirect_host)
    return HttpResponse(response.status_code, response.headers, kept, monotonic() - started, complete, redirect_host)


def _find_redirect_host(response: Response, target: Target, policy: Policy) -> str | None:
    is_redirect = response.status_code // 100 == 3
    return find_redirect_host(response.headers.get("Location"), target, policy) if is_redirect else None


def _send(target: Target, body: bytes, headers: Mapping[str, str], exchange: Exchange) -> Response:
    # The request holds the origin only: an error or a log that refers to it must not contain the secret path.
    request = Request(
        "POST",
        f"{target.scheme}://{target.authority}/",
        headers={**headers, **_OWN_HEADERS, "Host": target.authority},
        data=body,
    )
    return ExchangeAdapter(exchange, target.path).send(request.prepare(), stream=True)


def _read_body(response: Response) -> tuple[bytes, bool]:
    """Return the first `MAX_BODY` bytes and whether the body ended. The status is known, so errors are ignored."""
    body = b""
    with suppress(OSError, HTTPException, HTTPError, ValueError):
        while len(body) <= MAX_BODY:
            chunk = response.raw.read1(MAX_BODY + 1 - len(body), decode_content=False)
            if not chunk:
                return body, True
            body += chunk
    return body[:MAX_BODY], False
