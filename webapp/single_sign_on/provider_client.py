"""Asks the provider, within a limit of time for all requests together, and under a list of its own.

The list has the issuer and the endpoints that it publishes, in private networks too. No destination uses it, and
nothing that the provider says leads anywhere else: redirects are not followed.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import Any

from webapp.failures import Code, DeliveryFailed
from webapp.outbound import HttpResponse, OutboundClient
from webapp.outbound.http.client import get, post
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Origin, read_url
from webapp.outbound.transport.deadline import Limits
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

# Seconds for all requests of one sign-in, and for each of them.
TOTAL, EACH = 8.0, 4.0
# Bytes of a response. Providers of many tenants publish some dozens of keys with their certificates.
MAX_RESPONSE = 256 * 1024

_SLOW = frozenset({Code.CONNECT_TIMEOUT, Code.READ_TIMEOUT, Code.DEADLINE_EXCEEDED, Code.DNS_TIMEOUT})
_NOT_PUBLIC = frozenset({Code.SCHEME_NOT_ALLOWED, Code.PORT_NOT_ALLOWED, Code.TARGET_NOT_ALLOWED})


class ProviderClient:
    """The requests of one sign-in.

    failure: what the outbound client found, for whoever may see it.
    """

    failure: DeliveryFailed | None = None

    def __init__(self, outbound: OutboundClient, total: float = TOTAL) -> None:
        self._outbound = outbound
        self._ends_at = monotonic() + total

    def get_json(self, url: str, origins: frozenset[Origin], headers: Mapping[str, str] | None = None) -> Any:
        """Return the content of a JSON object. Raises `SignOnRefused`."""
        accepted = {"Accept": "application/json", **(headers or {})}
        status, content = self._ask(url, origins, accepted, None)
        if status != 200:
            raise SignOnRefused(Refusal.UNUSABLE_RESPONSE)
        return content

    def post_form(
        self, url: str, origins: frozenset[Origin], body: str, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Submit a form, and return the status and the JSON object of the response. Raises `SignOnRefused`."""
        sent = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask(url, origins, sent, body.encode())

    def _ask(
        self, url: str, origins: frozenset[Origin], headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        if read_url(url).origin not in origins:
            raise SignOnRefused(Refusal.UNUSABLE_RESPONSE)
        left = self._ends_at - monotonic()
        if left <= 0:
            raise SignOnRefused(Refusal.TOO_SLOW)
        limits = Limits(whole=min(EACH, left), lookup=2.0, connect=2.0, silence=3.0, body=MAX_RESPONSE)
        try:
            response = self._exchange(url, origins, headers, body, limits)
        except DeliveryFailed as failure:
            self.failure = failure
            raise SignOnRefused(Refusal.TOO_SLOW if failure.code in _SLOW else Refusal.UNREACHABLE) from None
        if not response.complete and response.seconds >= limits.whole:
            raise SignOnRefused(Refusal.TOO_SLOW)
        return response.status, _read_object(response)

    def _exchange(
        self, url: str, origins: frozenset[Origin], headers: Mapping[str, str], body: bytes | None, limits: Limits
    ) -> HttpResponse:
        """Send one request: through the proxy to a public address if there is one, and directly to any other."""
        inside = self._make_policy(origins)
        if inside.proxy is not None:
            try:
                return self._send(url, replace(inside, trusted_origins=frozenset()), headers, body, limits)
            except DeliveryFailed as failure:
                if failure.code not in _NOT_PUBLIC:  # those are found before anything is sent
                    raise
        return self._send(url, inside, headers, body, limits)

    def _make_policy(self, origins: frozenset[Origin]) -> Policy:
        """Return a policy for the provider alone: neither the rules for messages nor those of a demo apply."""
        policy = self._outbound.policy
        return Policy(
            trusted_origins=origins,
            denied_networks=policy.denied_networks,
            proxy=policy.proxy,
            proxy_authorization=policy.proxy_authorization,
            ca_file=policy.ca_file,
        )

    def _send(
        self, url: str, policy: Policy, headers: Mapping[str, str], body: bytes | None, limits: Limits
    ) -> HttpResponse:
        if body is None:
            return get(url, headers, policy, self._outbound.resolver, limits)
        return post(url, body, headers, policy, None, self._outbound.resolver, limits)


def _read_object(response: HttpResponse) -> dict[str, Any]:
    """Return a JSON object. Whatever else a provider sends, such as a page or more bytes than allowed, is refused."""
    try:
        content = json.loads(response.body) if response.complete and response.status // 100 != 3 else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise SignOnRefused(Refusal.UNUSABLE_RESPONSE)
    return content
