"""Reads the operator's rules for the way out from the environment.

All are optional:

- `ALERTCHECK_TRUSTED_ORIGINS`: `http://receiver.lan:8080, https://chat.corp`: exempt from the rules on addresses.
- `ALERTCHECK_DENIED_NETWORKS`: `198.51.100.0/24, 2001:db8::/32`: refused on top of everything that is not public.
- `ALERTCHECK_EXTRA_HOSTS`: `teams=flows.example.com; mattermost=*.example.org`: further hosts of a channel; one channel
  may come several times.
- `ALERTCHECK_EGRESS_PROXY`: `http://proxy.lan:3128`: a proxy that tunnels to what is not a trusted origin.
- `ALERTCHECK_CA_FILE`: a PEM file of further authorities to trust.
"""

from collections.abc import Mapping
from ipaddress import ip_network

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.hostnames import NotAHost, canonical_host
from webapp.outbound.policy.networks import Network
from webapp.outbound.policy.urls import Origin, Policy, read_url
from webapp.outbound.transport.tls import make_context

_TRUSTED = "ALERTCHECK_TRUSTED_ORIGINS"
_DENIED = "ALERTCHECK_DENIED_NETWORKS"
_EXTRA = "ALERTCHECK_EXTRA_HOSTS"
_PROXY = "ALERTCHECK_EGRESS_PROXY"
_CA_FILE = "ALERTCHECK_CA_FILE"


def read_policy(environ: Mapping[str, str]) -> Policy:
    """Return what the environment allows. Raises ValueError with a sentence on the variable and what it takes."""
    return Policy(
        trusted_origins=frozenset(_read_origin(_TRUSTED, entry) for entry in _split(environ, _TRUSTED, ",")),
        denied_networks=tuple(_read_network(entry) for entry in _split(environ, _DENIED, ",")),
        extra_hosts=_read_extra_hosts(_split(environ, _EXTRA, ";")),
        proxy=_read_proxy(environ.get(_PROXY, "").strip()),
        ca_file=_read_ca_file(environ.get(_CA_FILE, "").strip()),
    )


def _split(environ: Mapping[str, str], name: str, separator: str) -> list[str]:
    return [entry.strip() for entry in environ.get(name, "").split(separator) if entry.strip()]


def _read_origin(name: str, text: str) -> Origin:
    try:
        target = read_url(text)
    except DeliveryFailed:
        target = None
    # The entry is not repeated: someone may have put a password or a whole webhook address there.
    if target is None or target.path != "/":
        raise ValueError(f"{name} takes scheme://host:port without a path, such as http://receiver.lan:8080.")
    return target.origin


def _read_network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{_DENIED} takes networks such as 198.51.100.0/24 or 2001:db8::/32, not {text!r}.") from None


def _read_extra_hosts(entries: list[str]) -> dict[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        channel, _, pattern = (part.strip() for part in entry.partition("="))
        extra[channel] = (*extra.get(channel, ()), _read_pattern(channel, pattern))
    return extra


def _read_pattern(channel: str, pattern: str) -> str:
    wild = "*." if pattern.startswith("*.") else ""
    try:
        host = canonical_host(pattern.removeprefix("*."))
    except NotAHost:
        host = ""
    if not channel or not host:
        raise ValueError(f"{_EXTRA} takes channel=host pairs, such as teams=flows.example.com; slack=*.example.org.")
    return wild + host


def _read_proxy(text: str) -> Origin | None:
    if not text:
        return None
    proxy = _read_origin(_PROXY, text)
    if proxy.scheme != "http":
        raise ValueError(f"{_PROXY} takes http://host:port; what goes through the proxy is encrypted anyway.")
    return proxy


def _read_ca_file(text: str) -> str | None:
    if not text:
        return None
    try:
        make_context(text)
    except OSError:
        raise ValueError(f"{_CA_FILE} names a file that is not readable or holds no certificate in PEM form.") from None
    return text
