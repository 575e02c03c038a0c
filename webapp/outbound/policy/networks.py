"""Decides which network addresses a message may be sent to, with tables of our own.

`ipaddress.is_global` differs between versions of Python and treats a cloud's internal services as global.
Sources: IANA's special-purpose registries for IPv4 and IPv6; 168.63.129.16 is Azure's host service.
"""

import socket
from collections.abc import Iterable
from contextlib import closing
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_IPV4_DENIED = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_IPV6_ALLOWED = IPv6Network("2000::/3")
_IPV6_DENIED = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def is_allowed(address: Address, denied: Iterable[Network] = ()) -> bool:
    """Check that the address is public and in none of the administrator's `denied` networks."""
    plain = _unwrap(address)
    if plain is None or any(plain in network for network in denied):
        return False
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _IPV4_DENIED)
    return plain in _IPV6_ALLOWED and not any(plain in network for network in _IPV6_DENIED)


def is_this_machine(address: Address) -> bool:
    """Check whether the address belongs to an interface of this machine. Sends nothing."""
    plain = _unwrap(address) or address
    family = socket.AF_INET if isinstance(plain, IPv4Address) else socket.AF_INET6
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect((str(plain), 443))  # for UDP this only picks the route, and so the local address
            return bool(probe.getsockname()[0] == str(plain))
    except OSError:
        return False


def _unwrap(address: Address) -> Address | None:
    """Return the IPv4 address of an IPv4-mapped address, and None for an address with a scope id."""
    if isinstance(address, IPv4Address):
        return address
    return None if address.scope_id is not None else address.ipv4_mapped or address
