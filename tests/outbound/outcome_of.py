"""Posts to receivers on the loopback as a channel does, with short limits."""

import socket

from webapp.failures import Code, DeliveryFailed
from webapp.outbound.http.client import HttpResponse, post
from webapp.outbound.http.response_classification import check_response
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import read_url
from webapp.outbound.transport.deadline import Limits
from webapp.outbound.transport.dns import Resolver

BRIEF = Limits(whole=0.8, lookup=0.5, connect=0.5, silence=0.5)
# Long enough for two handshakes while all processors are busy.
PATIENT = Limits(whole=6.0, lookup=2.0, connect=3.0, silence=3.0)
HEADERS = {"Content-Type": "application/json"}


def loopback(host: str) -> list[str]:
    """Resolve every name to the loopback."""
    return ["127.0.0.1"]


def failing(number: int) -> Resolver:
    """Return a resolver that fails with one of the system's error numbers."""

    def resolver(host: str) -> list[str]:
        raise socket.gaierror(number, f"looked for {host}")

    return resolver


def trusting(url: str, ca_file: object = None) -> Policy:
    """Return a policy that trusts the origin of `url`."""
    return Policy(trusted_origins=frozenset({read_url(url).origin}), ca_file=str(ca_file) if ca_file else None)


def send(
    url: str,
    body: bytes = b"{}",
    policy: Policy | None = None,
    resolver: Resolver = loopback,
    limits: Limits = BRIEF,
) -> HttpResponse:
    """Post to `url`, which is trusted unless another policy is given."""
    return post(url, body, HEADERS, policy or trusting(url), None, resolver, limits)


def outcome_of(
    url: str,
    body: bytes = b"{}",
    policy: Policy | None = None,
    resolver: Resolver = loopback,
    limits: Limits = BRIEF,
) -> str | Code:
    """Return "ok", or the code of the failure of the whole send, including its HTTP status."""
    try:
        check_response(send(url, body, policy, resolver, limits), "host")
    except DeliveryFailed as failure:
        return failure.code
    return "ok"
