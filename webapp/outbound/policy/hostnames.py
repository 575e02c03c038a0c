"""Converts a typed host to its canonical form, and checks whether it can be a public name."""

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from webapp.outbound.policy.public_networks import Address

_MAX_LENGTH = 253
# With underscores, which names inside a network may have. No public host name has one.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Top-level labels that are reserved (RFC 6761, 6762, 7686, 8375, 9476) or commonly used inside networks.
_NOT_PUBLIC = frozenset(
    {
        "alt",
        "arpa",
        "corp",
        "example",
        "home",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "onion",
        "private",
        "svc",
        "test",
    }
)
# Of those, the ones under which networks have names of their own. The others never lead to a receiver.
_PRIVATE = frozenset({"corp", "home", "internal", "intranet", "lan", "local", "localdomain", "private", "svc"})
_PRIVATE_DOMAIN = "home.arpa"  # RFC 8375
# Names that no network gives to a receiver: of clouds' metadata services, also as a search domain completes them, and
# of the machine itself in its list of hosts.
_NEVER_A_RECEIVER = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "ip6-localhost",
        "ip6-loopback",
        "metadata",
        "metadata.google.internal",
        "metadata.internal",
    }
)


class NotAHost(ValueError):
    """The text is neither a host name nor an IP address in canonical form."""


def canonical_host(text: str) -> str:
    """Return a name in lower case, as A-labels and without the final dot, or an IPv6 address in its short form.

    An IPv6 address is given in brackets and returned without them. Raises `NotAHost`.
    """
    if text.startswith("["):
        return str(_read_ipv6(text))
    name = _to_ascii(text).removesuffix(".")
    if len(name) > _MAX_LENGTH or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise NotAHost
    return name


def parse_ip_address(host: str) -> Address | None:
    """Return the IP address of a canonical host, or None if the host is a name.

    Raises `NotAHost` for other spellings of IPv4 (octal, hex, fewer parts): resolvers interpret them differently.
    """
    if ":" in host:
        return IPv6Address(host)
    if not _NUMERIC.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        return IPv4Address(host)
    except AddressValueError:
        raise NotAHost from None


def can_be_public(name: str) -> bool:
    """Check that a canonical name has two labels or more, no underscore, and no last label that is never public."""
    _, dot, last = name.rpartition(".")
    return bool(dot) and "_" not in name and last not in _NOT_PUBLIC


def can_be_private(name: str) -> bool:
    """Check that a canonical name is one that only private networks have: a single label, `.lan`, `.internal`, ..."""
    _, dot, last = name.rpartition(".")
    if name in _NEVER_A_RECEIVER or (last in _NOT_PUBLIC - _PRIVATE and not name.endswith(f".{_PRIVATE_DOMAIN}")):
        return False
    return not dot or last in _NOT_PUBLIC


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Check whether the host equals a pattern, or is a subdomain of a pattern `*.name`."""
    return any(host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern for pattern in patterns)


def _read_ipv6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text.removeprefix("[").removesuffix("]"))
    except AddressValueError:
        raise NotAHost from None
    # Versions of Python print an IPv4-mapped IPv6 address differently.
    if address.scope_id is not None or address.ipv4_mapped is not None or not text.endswith("]"):
        raise NotAHost
    return address


def _to_ascii(text: str) -> str:
    if text.isascii() or len(text) > _MAX_LENGTH:
        return text.lower()
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except UnicodeError:  # idna's own error is a subclass
        raise NotAHost from None
