"""Checks where messages may go: what the administrator allows, when an address is saved and when it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.policy.hostnames import NotAHost, can_be_public, matches, parse_ip_address
from webapp.outbound.policy.opened_networks import DEFAULT_PORTS, is_opened, may_be_opened
from webapp.outbound.policy.public_networks import Address, Network, is_allowed
from webapp.outbound.policy.urls import PORTS, Origin, Route, Target, read_url


@dataclass(frozen=True)
class Policy:
    """Where the administrator allows messages to go. A workspace cannot change it.

    trusted_origins: exempt from the rules on scheme, port, host and network address, but from no other rule. They are
        never reached through the proxy.
    denied_networks: refused in addition to all networks that are not public, and although they are opened.
    opened_networks: private networks that one workspace may send to, over http too. Never reached through the proxy.
    opened_ports: the ports allowed there.
    own_servers: hosts of the installation itself (the database, the queue, ...), as names or addresses. No address of
        them is reached in an opened network, on any port.
    extra_hosts: host patterns by channel name, which the channel adds to its own.
    proxy: an HTTP proxy that tunnels (CONNECT) to the checked address; its scheme is http.
    proxy_authorization: what the proxy, and nobody else, gets as Proxy-Authorization, or None. Secret.
    ca_file: a PEM file of authorities to trust in addition to the public ones.
    demo_receiver: in a demo, the only origin that messages may go to; None for all that the other rules allow.
    demo_mail_domain: in a public demo, the only domain whose subdomains may get email; None for any domain.
    demo_routes: in a demo, the origins that its receiver has by name, each with where it really listens. They are
        trusted, and their names are never looked up.
    """

    trusted_origins: frozenset[Origin] = frozenset()
    denied_networks: tuple[Network, ...] = ()
    opened_networks: tuple[Network, ...] = ()
    opened_ports: frozenset[int] = DEFAULT_PORTS
    own_servers: tuple[str, ...] = field(default=(), repr=False)
    extra_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    proxy: Origin | None = None
    proxy_authorization: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    demo_receiver: Origin | None = None
    demo_mail_domain: str | None = None
    demo_routes: Mapping[Origin, Route] = field(default_factory=lambda: MappingProxyType({}))

    def trusts(self, target: Target) -> bool:
        """Check whether exactly this scheme, host and port are trusted."""
        return target.origin in self.trusted_origins or target.origin in self.demo_routes

    def opens(self, address: Address) -> bool:
        """Check whether the address is in an opened network. The own servers are not considered."""
        return is_opened(address, self.opened_networks, self.denied_networks)

    def is_beyond_demo(self, target: Target) -> bool:
        """Check whether this is a demo that sends to its own receiver only, and the target is another one."""
        return self.demo_receiver not in (None, target.origin) and target.origin not in self.demo_routes

    def accepts_recipient(self, address: str) -> bool:
        """Check whether email may be sent to this address."""
        domain = address.rpartition("@")[2].lower()
        return self.demo_mail_domain is None or domain.endswith(f".{self.demo_mail_domain}")


def check_url(url: str, policy: Policy, hosts: tuple[str, ...] | None = None) -> Target:
    """Return the target of `url` if the policy allows it, as far as that is known without the DNS.

    hosts: the channel's host patterns (`hooks.slack.com`, `*.example.com`); None for any public host.
    Raises `DeliveryFailed` with url_invalid, scheme_not_allowed, port_not_allowed, host_not_expected,
    target_not_allowed or demo_receiver_only.
    """
    target = read_url(url)
    for code in find_problems(target, policy, hosts):
        cause = target.retired_service if code is Code.HOST_NOT_EXPECTED else None
        raise DeliveryFailed(code, Facts(host=target.host, cause=cause))
    return target


def find_problems(target: Target, policy: Policy, hosts: tuple[str, ...] | None = None) -> list[Code]:
    """Return everything that the policy has against a target, the most basic first; nothing if it is trusted."""
    if policy.is_beyond_demo(target):
        return [Code.DEMO_RECEIVER_ONLY]
    if policy.trusts(target):
        return []
    is_public = may_be_public(target.host, policy)
    is_private = may_be_opened(
        target.host, policy.opened_networks, policy.denied_networks, has_own_hosts=hosts is not None
    )
    problems = {
        Code.SCHEME_NOT_ALLOWED: target.scheme != "https" and not is_private,
        Code.PORT_NOT_ALLOWED: not _is_port_allowed(target, policy, is_public=is_public, is_private=is_private),
        Code.TARGET_NOT_ALLOWED: not (is_public or is_private),
        Code.HOST_NOT_EXPECTED: target.retired_service or (hosts is not None and not matches(target.host, hosts)),
    }
    return [code for code, is_present in problems.items() if is_present]


def may_be_public(host: str, policy: Policy) -> bool:
    """Check a canonical host, as far as that is possible without the DNS."""
    try:
        address = parse_ip_address(host)
    except NotAHost:
        return False
    return can_be_public(host) if address is None else is_allowed(address, policy.denied_networks)


def _is_port_allowed(target: Target, policy: Policy, *, is_public: bool, is_private: bool) -> bool:
    if not is_private:
        return target.port == PORTS[target.scheme]
    return target.port in policy.opened_ports or (is_public and is_for_public(target))


def is_for_public(target: Target) -> bool:
    """Check whether a target has the scheme and the port that public addresses need."""
    return (target.scheme, target.port) == ("https", PORTS["https"])
