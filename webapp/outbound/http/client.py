"""Posts one message to an address that may not be trusted, and returns what was answered within fixed limits."""

from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from time import monotonic

from requests import Request, Response
from urllib3.exceptions import HTTPError

from webapp.outbound.http.exchange import Exchange, ExchangeAdapter
from webapp.outbound.policy.urls import Policy, Target, check_url
from webapp.outbound.transport.connect import open_connection
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.dns import Resolver, system_resolver
from webapp.outbound.transport.limits import LIMITS, MAX_BODY, Limits

_OWN_HEADERS = {"User-Agent": "Alertcheck", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True)
class HttpResponse:
    """What the far end answered. Headers and body are its own words: to judge by, never to show.

    headers: names in any case.
    body: at most `MAX_BODY` bytes, never decoded.
    seconds: from the call to the answer's end.
    complete: whether `body` is all of it; False if it was longer, cut by the deadline or badly framed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float
    complete: bool = True


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy,
    hosts: tuple[str, ...] | None = None,
    resolver: Resolver = system_resolver,
    limits: Limits = LIMITS,
) -> HttpResponse:
    """Send `body` to `url` once, if that is allowed; any complete final status is an answer, redirects included.

    hosts: see `check_url`. Raises `DeliveryFailed`, with the host and without the address, for everything else.
    """
    started = monotonic()
    target = check_url(url, policy, hosts)
    with (
        Deadline(limits.whole) as deadline,
        closing(open_connection(target, policy, resolver, deadline, limits)) as connection,
    ):
        exchange = Exchange(target, connection, deadline, limits)
        with closing(_send(target, body, headers, exchange)) as response:
            kept, ended = _read_body(response)
            complete = ended and not deadline.hit  # a shut socket reads as the end of a body without a length
    return HttpResponse(response.status_code, response.headers, kept, monotonic() - started, complete)


def _send(target: Target, body: bytes, headers: Mapping[str, str], exchange: Exchange) -> Response:
    # The request is given the origin alone, so that nothing that holds the request holds the secret path.
    request = Request(
        "POST",
        f"{target.scheme}://{target.authority}/",
        headers={**headers, **_OWN_HEADERS, "Host": target.authority},
        data=body,
    )
    return ExchangeAdapter(exchange, target.path).send(request.prepare(), stream=True)


def _read_body(response: Response) -> tuple[bytes, bool]:
    """Return the first `MAX_BODY` bytes and whether an end came: the status is known, so no trouble here matters."""
    body = b""
    with suppress(OSError, HTTPException, HTTPError, ValueError):
        while len(body) <= MAX_BODY:
            piece = response.raw.read1(MAX_BODY + 1 - len(body), decode_content=False)
            if not piece:
                return body, True
            body += piece
    return body[:MAX_BODY], False
