"""Checks the address of an HTTP receiver, both when it is saved and when it is used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Never
from urllib.parse import unquote

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.policy.hostnames import NotAHost, can_be_public, canonical_host, matches, parse_ip_address
from webapp.outbound.policy.networks import Address, Network, is_allowed
from webapp.outbound.policy.private_networks import DEFAULT_PORTS, is_opened, may_be_opened
from webapp.outbound.policy.retired_services import find_retired_service

# Characters of an address.
MAX_URL = 2048

_PORTS = {"https": 443, "http": 80}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AFTER_SCHEME = re.compile(r"//(?P<authority>[^/?#]+)(?P<path>/[!-~]*)?")
_FORBIDDEN = re.compile(r"[#\\]")
_AUTHORITY = re.compile(r"(?P<host>\[.*\][^:]*|[^:]*)(?::(?P<port>.*))?", re.DOTALL)
_PORT = re.compile(r"[0-9]{0,5}")
_DELIMITERS = frozenset("@\\/?#\t\r\n")


@dataclass(frozen=True)
class Origin:
    """A scheme, a canonical host and a port, which together identify one service."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """The origin as it is written in the settings."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True)
class Route:
    """Where connections to an origin go instead of the addresses of its name."""

    host: str
    port: int


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

    def trusts(self, target: "Target") -> bool:
        """Check whether exactly this scheme, host and port are trusted."""
        return target.origin in self.trusted_origins or target.origin in self.demo_routes

    def opens(self, address: Address) -> bool:
        """Check whether the address is in an opened network. The own servers are not considered."""
        return is_opened(address, self.opened_networks, self.denied_networks)

    def is_beyond_demo(self, target: "Target") -> bool:
        """Check whether this is a demo that sends to its own receiver only, and the target is another one."""
        return self.demo_receiver not in (None, target.origin) and target.origin not in self.demo_routes

    def accepts_recipient(self, address: str) -> bool:
        """Check whether email may be sent to this address."""
        domain = address.rpartition("@")[2].lower()
        return self.demo_mail_domain is None or domain.endswith(f".{self.demo_mail_domain}")


@dataclass(frozen=True)
class Target:
    """An address in canonical form. The path, which includes the query, is secret and sent exactly as given."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)

    @property
    def origin(self) -> Origin:
        """The origin of the address."""
        return Origin(self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """Host and port as in a Host header: without the default port of the scheme."""
        return self.origin.url.partition("://")[2]

    @property
    def retired_service(self) -> Cause | None:
        """The retired service that the address belongs to, or None."""
        return find_retired_service(self.host, self.path)

    @property
    def url(self) -> str:
        """The canonical address to store. Secret."""
        return f"{self.origin.url}{self.path}"


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


def read_url(url: str) -> Target:
    """Split an http or https address into its canonical parts, without checking whether it is allowed.

    Raises `DeliveryFailed` with url_invalid, scheme_not_allowed or, if the host is malformed, target_not_allowed.
    """
    scheme = _read_scheme(url)
    rest = _AFTER_SCHEME.fullmatch(url, pos=len(scheme) + 1)
    if rest is None or _FORBIDDEN.search(url):
        _refuse(Code.URL_INVALID)
    host, port = _split_authority(rest["authority"])
    try:
        return Target(scheme, canonical_host(host), port or _PORTS[scheme], rest["path"] or "/")
    except NotAHost:
        _refuse(Code.TARGET_NOT_ALLOWED)


def _read_scheme(url: str) -> str:
    found = _SCHEME.match(url)
    if found is None or len(url) > MAX_URL:
        _refuse(Code.URL_INVALID)
    scheme = found[1].lower()
    if scheme not in _PORTS:
        _refuse(Code.SCHEME_NOT_ALLOWED)
    return scheme


def _split_authority(authority: str) -> tuple[str, int | None]:
    # Parsers may split an authority with an encoded delimiter differently, so all such authorities are refused.
    if _DELIMITERS & set(unquote(authority)):
        _refuse(Code.URL_INVALID)
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or not parts["host"]:
        _refuse(Code.URL_INVALID)
    return parts["host"], _read_port(parts["port"] or "")


def _read_port(digits: str) -> int | None:
    if not _PORT.fullmatch(digits):
        _refuse(Code.URL_INVALID)
    port = int(digits) if digits else None
    if port is not None and not 0 < port < 65536:
        _refuse(Code.URL_INVALID)
    return port


def may_be_public(host: str, policy: Policy) -> bool:
    """Check a canonical host, as far as that is possible without the DNS."""
    try:
        address = parse_ip_address(host)
    except NotAHost:
        return False
    return can_be_public(host) if address is None else is_allowed(address, policy.denied_networks)


def _is_port_allowed(target: Target, policy: Policy, *, is_public: bool, is_private: bool) -> bool:
    if not is_private:
        return target.port == _PORTS[target.scheme]
    return target.port in policy.opened_ports or (is_public and is_for_public(target))


def is_for_public(target: Target) -> bool:
    """Check whether a target has the scheme and the port that public addresses need."""
    return (target.scheme, target.port) == ("https", _PORTS["https"])


def _refuse(code: Code) -> Never:
    """Refuse an address. The failure has no host, because the host is not reliably known."""
    raise DeliveryFailed(code) from None
