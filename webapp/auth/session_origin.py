"""What a session came from, as its owner recognizes it: the browser, and the network instead of the whole address.

Nothing here identifies a person or a device: a name of a browser and of a system, without versions.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# Bits of an IPv6 address that are shown: what a provider gives to one site at most (RFC 6177).
IPV6_SHOWN = 48

# What a User-Agent contains, from the most special to the most general: most browsers also name those they resemble.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
UNKNOWN_BROWSER = "Another browser"


@dataclass(frozen=True)
class SessionOrigin:
    """browser: such as "Firefox on Linux". client: a masked address, or None if there is none."""

    browser: str
    client: str | None


def read_origin(user_agent: str, address: str | None) -> SessionOrigin:
    """Return what a request came from. address: as the proxies in front of the web server report it."""
    return SessionOrigin(name_browser(user_agent), mask_address(address or ""))


def name_browser(user_agent: str) -> str:
    """Return the names of a browser and its system, as far as they are among the usual ones."""
    browser = _find(_BROWSERS, user_agent)
    system = _find(_SYSTEMS, user_agent)
    if browser is None:
        return f"{UNKNOWN_BROWSER} on {system}" if system else UNKNOWN_BROWSER
    return f"{browser} on {system}" if system else browser


def mask_address(address: str) -> str | None:
    """Return an IPv4 address without its last number, or the network of an IPv6 address."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(IPv6Network((ip, IPV6_SHOWN), strict=False))
    plain = str(ip.ipv4_mapped if isinstance(ip, IPv6Address) else ip)
    return f"{plain.rpartition('.')[0]}.x"


def _find(names: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for part, name in names if part in text), None)
