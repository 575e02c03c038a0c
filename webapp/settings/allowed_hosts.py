"""The host names that the pages respond to: how the setting is read, and which requests they include."""

from dataclasses import dataclass
from ipaddress import IPv6Address

from webapp.environment.settings_reader import split
from webapp.outbound.policy.hostnames import NotAHost, canonical_host, parse_ip_address


def read_allowed_hosts(text: str) -> tuple[str, ...]:
    """Return the names in canonical form. Raises ValueError with the rest of a sentence about the setting."""
    return tuple(_read_host(number, entry) for number, entry in enumerate(split(text, ", \t"), 1))


def _read_host(number: int, entry: str) -> str:
    problem = _find_problem(entry)
    if problem is None:
        try:
            host = canonical_host(f"[{entry}]" if entry.count(":") > 1 and entry[0] != "[" else entry)
            parse_ip_address(host)
        except NotAHost:
            problem = "is not a host name"
        else:
            return host
    # The sentence does not repeat the entry, which may be a whole URL with a password.
    raise ValueError(f"takes host names such as alertcheck.example.com; entry {number} {problem}.")


def _find_problem(entry: str) -> str | None:
    if "://" in entry:
        return "has a scheme: leave out https:// or http://"
    if "*" in entry or entry.startswith("."):
        return "stands for several names: list each name, or leave the setting empty for any name"
    if "/" in entry:
        return "has a path: leave it out"
    if entry.count(":") == 1 or "]:" in entry:
        return "has a port: leave it out"
    return "has an underscore, which the host name of a web server cannot have" if "_" in entry else None


@dataclass(frozen=True)
class AllowedHosts:
    """The host names to which the pages respond, in canonical form. names: empty for any name."""

    names: frozenset[str]

    def include(self, host: str) -> bool:
        """Return whether a request's host, which may have a port, is one of them."""
        return not self.names or _normalize(host) in self.names


def _normalize(host: str) -> str:
    if not host.startswith("["):
        return host.partition(":")[0].removesuffix(".").lower()
    address = host[1:].partition("]")[0]
    try:
        return str(IPv6Address(address))
    except ValueError:
        return address
