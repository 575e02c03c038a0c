"""Decides which private networks an administrator may open to a workspace, and which addresses stay closed for ever.

Sources: IANA's special-purpose registries; the metadata addresses are those that the clouds' own documentation and
cloud-init name. Metadata services in 169.254.0.0/16 and fe80::/10 need no entry: no link-local network can be opened.
"""

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network

from webapp.outbound.policy.hostnames import NotAHost, can_be_private, can_be_public, parse_ip_address
from webapp.outbound.policy.public_networks import Address, Network

# The ports of private receivers, unless the administrator lists others.
DEFAULT_PORTS = frozenset({80, 443})

# What can be opened: RFC 1918, RFC 6598 (shared address space) and RFC 4193 (unique local addresses).
_PRIVATE = tuple(
    ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
# Services of clouds inside of these networks, which hand out a machine's credentials.
_METADATA = tuple(
    ip_network(network)
    for network in (
        "100.100.100.200/32",  # Alibaba Cloud
        "fd00:100::100:200/128",  # Alibaba Cloud
        "fd00:ec2::/32",  # Amazon: metadata, pod identity, DNS, time
        "fd20:ce::/32",  # Google Cloud
        "fd00:c1::/32",  # Oracle Cloud
        "fd00:42::/32",  # Scaleway
        "fd00:a9fe:a9fe::/48",  # Akamai (Linode)
    )
)
# Why a network can never be opened, the most telling reason first.
_REASONS = tuple(
    (ip_network(network), reason)
    for network, reason in (
        ("127.0.0.0/8", "leads to the machine itself (loopback)"),
        ("::1/128", "leads to the machine itself (loopback)"),
        ("0.0.0.0/8", "leads to the machine itself (unspecified)"),
        ("::/128", "leads to the machine itself (unspecified)"),
        ("169.254.0.0/16", "is link-local, where clouds hand out credentials"),
        ("fe80::/10", "is link-local, where clouds hand out credentials"),
        ("168.63.129.16/32", "is a service of a cloud"),
        ("192.0.0.0/24", "is reserved, and a service of a cloud"),
        ("224.0.0.0/4", "is multicast"),
        ("ff00::/8", "is multicast"),
        ("240.0.0.0/4", "is reserved or broadcast"),
        ("::ffff:0:0/96", "is a second form of IPv4 addresses"),
        ("64:ff9b::/32", "is a second form of IPv4 addresses (NAT64)"),
        ("2002::/16", "is a second form of IPv4 addresses (6to4)"),
    )
)


def explain_closed(network: Network) -> str | None:
    """Return why a network cannot be opened to a workspace ("is multicast"), or None if it can."""
    if network.prefixlen == 0:
        return "is every address"
    if any(_contains(closed, network) for closed in _METADATA):
        return "is a service of a cloud, which hands out credentials"
    if any(_contains(private, network) for private in _PRIVATE):
        return None
    return next(
        (reason for closed, reason in _REASONS if closed.overlaps(network)),
        "is not a private network (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 or fc00::/7)",
    )


def is_opened(address: Address, opened: Collection[Network], denied: Collection[Network] = ()) -> bool:
    """Check that the address is in one of the `opened` networks, in none of the `denied` ones, and not closed for ever.

    It does not matter how `opened` was checked before. An IPv4-mapped or scoped address is in no network.
    """
    if getattr(address, "scope_id", None) is not None or explain_closed(ip_network(address)) is not None:
        return False
    is_denied = any(address in network for network in denied)
    return not is_denied and any(address in network for network in opened)


def may_be_opened(
    host: str, opened: Collection[Network], denied: Collection[Network], *, has_own_hosts: bool = False
) -> bool:
    """Check whether a canonical host may be in an opened network, as far as that is known without the DNS.

    A name that looks public may be, unless the channel has hosts of its own: a service on the internet.
    """
    if not opened:
        return False
    try:
        address = parse_ip_address(host)
    except NotAHost:
        return False
    if address is not None:
        return is_opened(address, opened, denied)
    return can_be_private(host) or (can_be_public(host) and not has_own_hosts)


def _contains(outer: Network, inner: Network) -> bool:
    if isinstance(outer, IPv4Network) and isinstance(inner, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and isinstance(inner, IPv6Network) and inner.subnet_of(outer)
