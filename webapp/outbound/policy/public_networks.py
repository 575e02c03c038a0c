"""Decides which network addresses a message may be sent to, with tables of our own.

`ipaddress.is_global` differs between versions of Python and treats a cloud's internal services as global.
Sources: IANA's special-purpose registries for IPv4 and IPv6; 168.63.129.16 is Azure's host service.
"""

import socket
from collections.abc import Collection
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

# Where a host has only IPv4 addresses, the resolver of an IPv6 network (DNS64) gives them inside this prefix, and a
# gateway (NAT64) leads there (RFC 6052, section 2.1). Other prefixes are a network's own choice, so they are refused.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_allowed(address: Address, denied: Collection[Network] = ()) -> bool:
    """Check that the address is public and in none of the administrator's `denied` networks."""
    plain = _unwrap(address)
    if plain is None or any(plain in network for network in denied):
        return False
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _IPV4_DENIED)
    return plain in _IPV6_ALLOWED and not any(plain in network for network in _IPV6_DENIED)


def is_allowed_answer(address: Address, denied: Collection[Network] = ()) -> bool:
    """Check an address that the DNS gave for a name: one of NAT64 leads to the IPv4 address inside it.

    Typed addresses have no such exception (`is_allowed`): only a resolver makes them for a good reason.
    """
    embedded = _find_embedded(address)
    if embedded is None:
        return is_allowed(address, denied)
    return is_allowed(embedded, denied) and not any(address in network for network in denied)


def is_this_machine(address: Address) -> bool:
    """Check whether the address, or what it leads to by NAT64, belongs to an interface of this machine.

    Sends nothing.
    """
    plain, embedded = _unwrap(address) or address, _find_embedded(address)
    return _is_own(plain) or (embedded is not None and _is_own(embedded))


def _is_own(plain: Address) -> bool:
    family = socket.AF_INET if isinstance(plain, IPv4Address) else socket.AF_INET6
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect((str(plain), 443))  # for UDP this only picks the route, and so the local address
            return bool(probe.getsockname()[0] == str(plain))
    except OSError:
        return False


def _find_embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address inside an address of NAT64, or None for any other address."""
    plain = _unwrap(address)
    if not isinstance(plain, IPv6Address) or plain not in _NAT64:
        return None
    return IPv4Address(plain.packed[-4:])


def _unwrap(address: Address) -> Address | None:
    """Return the IPv4 address of an IPv4-mapped address, and None for an address with a scope id."""
    if isinstance(address, IPv4Address):
        return address
    return None if address.scope_id is not None else address.ipv4_mapped or address
