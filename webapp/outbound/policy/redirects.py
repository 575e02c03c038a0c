"""Finds the host that a redirect leads to, which is shown but never connected to."""

import re
from base64 import b64decode
from contextlib import suppress
from urllib.parse import unquote

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.allowed_targets import Policy, may_be_public
from webapp.outbound.policy.urls import Target, read_url

# RFC 3986, section 4.2: a reference with a scheme, or with an authority alone.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ORIGIN = re.compile(r"(?:https?:)?//[^/?#\\]*", re.IGNORECASE)

# Characters that a label and the request share from which on they may be a token, hyphens aside. Words are shorter.
_TOKEN_LENGTH = 16

_BASIC = re.compile(r"Basic ([A-Za-z0-9+/]+={0,2})")  # RFC 7617


def find_redirect_host(location: str | None, origin: Target, policy: Policy, sent: str = "") -> str | None:
    """Return the canonical host of a Location header, or None if it cannot be read or may not be shown.

    By the rules for a destination's own host, only that one, a public or a trusted one is shown, and none that repeats
    a token of the request: some services accept it in the path and in a subdomain. origin: who sent the redirect.
    sent: what the request contained beside the address of the origin.
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
    if target.host == origin.host:
        return target.host
    is_shown = policy.trusts(target) or may_be_public(target.host, policy)
    return target.host if is_shown and not _repeats_token(target.host, f"{unquote(origin.path)} {sent}") else None


def _repeats_token(host: str, sent: str) -> bool:
    text = _simplify(f"{sent} {' '.join(map(_decode, _BASIC.findall(sent)))}")
    labels = map(_simplify, host.split("."))
    return any(
        label[at : at + _TOKEN_LENGTH] in text for label in labels for at in range(len(label) - _TOKEN_LENGTH + 1)
    )


def _simplify(text: str) -> str:
    return text.lower().replace("-", "")  # a host has no capital letters, and a UUID is often written without hyphens


def _decode(encoded: str) -> str:
    with suppress(ValueError):
        return b64decode(encoded).decode(errors="replace")
    return ""
