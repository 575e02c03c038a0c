"""Finds the host that a redirect leads to, which is shown but never connected to."""

import re

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.rules import Policy, may_be_public
from webapp.outbound.policy.urls import Target, read_url

# RFC 3986, section 4.2: a reference with a scheme, or with an authority alone.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ORIGIN = re.compile(r"(?:https?:)?//[^/?#\\]*", re.IGNORECASE)


def find_redirect_host(location: str | None, origin: Target, policy: Policy) -> str | None:
    """Return the canonical host of a Location header, or None if it cannot be read or may not be shown.

    By the rules for a destination's own host, only that one, a public or a trusted one is shown. origin: who sent the
    redirect.
    """
    if location is None:
        return None
    found = _ORIGIN.match(location)
    if found is None:  # a path on the same host, unless it has another scheme
        return None if _SCHEME.match(location) or location.startswith("\\") else origin.host
    try:
        target = read_url(found[0] if found[0][0] != "/" else f"{origin.scheme}:{found[0]}")
    except DeliveryFailed:
        return None
    is_shown = target.host == origin.host or policy.trusts(target) or may_be_public(target.host, policy)
    return target.host if is_shown else None
