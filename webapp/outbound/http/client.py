"""Sends one request to an untrusted address and returns the response, within fixed limits of time and size."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

from requests import Request, Response

from webapp.failures import Code
from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.http.body import read_body
from webapp.outbound.http.exchange import Exchange, ExchangeAdapter
from webapp.outbound.http.media_types import name_media_type
from webapp.outbound.policy.allowed_targets import Policy, check_url
from webapp.outbound.policy.redirects import find_redirect_host
from webapp.outbound.policy.urls import Target
from webapp.outbound.transport.connect import open_connection
from webapp.outbound.transport.deadline import LIMITS, Deadline, Limits
from webapp.outbound.transport.dns import Resolver, system_resolver

_OWN_HEADERS = {"User-Agent": "Alertcheck", "Accept-Encoding": "identity", "Connection": "close"}

# The methods with which a message can be sent.
METHODS = ("POST", "PUT")

# Method, body and headers of a request.
_Message = tuple[str, bytes | None, Mapping[str, str]]


@dataclass(frozen=True)
class HttpResponse:
    """The receiver's response. Headers and body may hold anything: classify them, but never show them.

    headers: a mapping whose names ignore case.
    body: its first bytes, as many as the limits keep, not decoded.
    seconds: the time from the call to the end of the response.
    complete: False if the body was longer, cut off by the deadline or badly framed.
    broken_by: why the body did not end: the code for it. None if it did, or is longer than what is kept.
    redirect_host: the host that a redirect leads to, or None if there is none that may be shown.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    seconds: float
    complete: bool = True
    broken_by: Code | None = None
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
    method: str = "POST",
) -> HttpResponse:
    """Send `body` to `url` once, if the policy allows it. Returns the response with any final status.

    Does not follow redirects. hosts: see `check_url`. recorder: collects the facts, also of an exchange that fails.
    method: one of `METHODS`. Raises `ValueError` for any other one.
    Raises `DeliveryFailed`, which contains the host but never the address, if there is no response.
    """
    if method not in METHODS:
        raise ValueError("a message is sent by POST or PUT")
    target = check_url(url, policy, hosts)
    return _exchange(target, (method, body, headers), policy, resolver, limits, recorder or ExchangeRecorder())


def get(
    url: str,
    headers: Mapping[str, str],
    policy: Policy,
    resolver: Resolver = system_resolver,
    limits: Limits = LIMITS,
) -> HttpResponse:
    """Ask for `url` once, as `post` sends to one."""
    return _exchange(check_url(url, policy), ("GET", None, headers), policy, resolver, limits, ExchangeRecorder())


def _exchange(
    target: Target,
    message: _Message,
    policy: Policy,
    resolver: Resolver,
    limits: Limits,
    recorder: ExchangeRecorder,
) -> HttpResponse:
    started = monotonic()
    with (
        recorder,
        Deadline(limits.whole) as deadline,
        closing(open_connection(target, policy, resolver, deadline, limits, recorder)) as connection,
    ):
        exchange = Exchange(target, connection, deadline, limits, recorder)
        with closing(_send(target, message, exchange)) as response:
            kept, ended, broken_by = read_body(response, limits.body)
            if deadline.hit:  # a body without a length seems to end where the deadline cut it
                ended, broken_by = False, Code.DEADLINE_EXCEEDED
            recorder.end(is_complete=not deadline.hit)
    redirect_host = _find_redirect_host(response, target, message, policy)
    media_type = name_media_type(response.headers.get("Content-Type"))
    recorder.note_response(media_type, len(kept), not ended, redirect_host)
    seconds = monotonic() - started
    return HttpResponse(response.status_code, response.headers, kept, seconds, ended, broken_by, redirect_host)


def _find_redirect_host(response: Response, target: Target, message: _Message, policy: Policy) -> str | None:
    if response.status_code // 100 != 3:
        return None
    _, body, headers = message
    sent = " ".join([*headers.values(), (body or b"").decode(errors="replace")])
    return find_redirect_host(response.headers.get("Location"), target, policy, sent)


def _send(target: Target, message: _Message, exchange: Exchange) -> Response:
    method, body, headers = message
    # The request holds the origin only: an error or a log that refers to it must not contain the secret path.
    request = Request(
        method,
        f"{target.scheme}://{target.authority}/",
        headers={**headers, **_OWN_HEADERS, "Host": target.authority},
        data=body,
    )
    return ExchangeAdapter(exchange, target.path).send(request.prepare(), stream=True)
