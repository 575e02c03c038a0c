"""Splits the URL of a server (RFC 3986), and explains how to write what its user name and password may contain."""

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote

ENCODE = "In a user name or a password, write / as %2F, @ as %40, # as %23, ? as %3F and % as %25"

_UNUSABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff\ud800-\udfff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_AUTHORITY = re.compile(r"[^/?#]*")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>.*))?")
_HOST_NAME = re.compile(r"(?!.*\.\.)[\w.-]{1,253}")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True)
class UrlParts:
    """The parts of a URL. Their texts are as written, except for scheme and host, which are in lower case.

    user_info: what stands in front of the @, or None. host: with the brackets of an IPv6 address; it may be empty.
    tail: the path, and the query with its question mark.
    """

    scheme: str
    user_info: str | None = field(repr=False)
    host: str
    port: int | None
    tail: str = field(repr=False)

    @property
    def path(self) -> str:
        """The path, as written."""
        return self.tail.partition("?")[0]

    @property
    def query(self) -> str:
        """The query without its question mark, as written."""
        return self.tail.partition("?")[2]

    @property
    def username(self) -> str | None:
        """The decoded user name."""
        return None if self.user_info is None else unquote(self.user_info.partition(":")[0])

    @property
    def password(self) -> str | None:
        """The decoded password."""
        _, colon, password = (self.user_info or "").partition(":")
        return unquote(password) if colon else None

    @property
    def text(self) -> str:
        """The URL. Secret."""
        user = "" if self.user_info is None else f"{self.user_info}@"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{user}{self.host}{port}{self.tail}"


def split_url(url: str) -> UrlParts:
    """Split a URL. Raises ValueError with the rest of a sentence about the setting, which never quotes the URL."""
    if _UNUSABLE.search(url):
        raise ValueError(f"contains a blank or an invisible character. {ENCODE}, and a blank as %20.")
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise ValueError("has no scheme in front of ://.")
    authority, tail = _split_authority(url[scheme.end() :])
    user_info, at, host_and_port = authority.rpartition("@")
    _check_user_info(user_info)
    host, port = _split_host(host_and_port)
    return UrlParts(scheme[1].lower(), user_info if at else None, host, port, tail)


def find_scheme(url: str) -> str:
    """Return the scheme in lower case; empty if there is none."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def _split_authority(rest: str) -> tuple[str, str]:
    found = _AUTHORITY.match(rest)
    authority = found[0] if found else ""
    tail = rest[len(authority) :]
    # An @ behind the first / or ? belongs to a password that is cut off there, unless it is inside of a query.
    is_cut = "@" in (tail if tail.startswith("?") else tail.partition("?")[0])
    if "#" in tail or is_cut:
        raise ValueError(f"cannot be read. {ENCODE}.")
    return authority, tail


def _check_user_info(user_info: str) -> None:
    _, _, password = user_info.partition(":")
    if "@" in password or _BAD_PERCENT.search(user_info) or set("[]") & set(user_info):
        raise ValueError(f"cannot be read. {ENCODE}, [ as %5B and ] as %5D.")
    decoded = unquote(user_info)
    if "\ufffd" in decoded or not decoded.replace(" ", "").isprintable():
        raise ValueError(f"has a user name or a password with an invisible or broken character. {ENCODE}.")


def _split_host(text: str) -> tuple[str, int | None]:
    if "," in text:
        raise ValueError("names several hosts. Give one name or address that always leads to the primary server.")
    if text.count(":") > 1 and not text.startswith("["):
        raise ValueError(f"has more than one colon in its host. Put an IPv6 address in brackets. {ENCODE}.")
    found = _HOST_AND_PORT.fullmatch(text)
    host = found["host"].lower().removesuffix(".") if found else ""
    if found is None or not _is_host(host):
        raise ValueError(f"has no valid host in front of the port or the path. {ENCODE}.")
    return host, _read_port(found["port"])


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return not host or _HOST_NAME.fullmatch(host) is not None
    try:
        IPv6Address(host[1:-1])
    except AddressValueError:
        return False
    return True


def _read_port(digits: str | None) -> int | None:
    if not digits:
        return None
    if not _PORT.fullmatch(digits) or not 0 < int(digits) < 65536:
        raise ValueError(f"has a port that is not a number from 1 to 65535. {ENCODE}.")
    return int(digits)
