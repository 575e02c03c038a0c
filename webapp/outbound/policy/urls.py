"""Reads the address of an HTTP receiver into its canonical parts."""

import re
from dataclasses import dataclass, field
from typing import Never
from urllib.parse import unquote

from webapp.failures import Cause, Code, DeliveryFailed
from webapp.outbound.policy.hostnames import NotAHost, canonical_host
from webapp.outbound.policy.retired_services import find_retired_service

# Characters of an address.
MAX_URL = 2048

# The ports that an address may leave out, by scheme.
PORTS = {"https": 443, "http": 80}
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
        return f"{self.scheme}://{host}" + ("" if self.port == PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True)
class Route:
    """Where connections to an origin go instead of the addresses of its name."""

    host: str
    port: int


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
        return Target(scheme, canonical_host(host), port or PORTS[scheme], rest["path"] or "/")
    except NotAHost:
        _refuse(Code.TARGET_NOT_ALLOWED)


def _read_scheme(url: str) -> str:
    found = _SCHEME.match(url)
    if found is None or len(url) > MAX_URL:
        _refuse(Code.URL_INVALID)
    scheme = found[1].lower()
    if scheme not in PORTS:
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


def _refuse(code: Code) -> Never:
    """Refuse an address. The failure has no host, because the host is not reliably known."""
    raise DeliveryFailed(code) from None
