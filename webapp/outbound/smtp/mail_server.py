"""The configured mail server: its address, the security of the connection, and the sender of all email."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

from webapp.outbound.policy.hostnames import canonical_host, parse_ip_address
from webapp.outbound.transport.limits import LIMITS, Limits

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL_ADDRESS = re.compile(
    r"(?=.{1,64}@)(?!.*=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    rf"@(?:{_LABEL}\.)+(?!\d+$){_LABEL}",
    re.ASCII,
)
MAX_MAIL_ADDRESS_LENGTH = 254


class MailSecurity(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class MailServer:
    """The server that sends email. Only the administrator sets it, so it may have a private address.

    ca_file: a PEM file of authorities to trust in addition to the public ones.
    """

    host: str
    port: int
    sender: str
    security: MailSecurity = MailSecurity.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    limits: Limits = LIMITS


@dataclass(frozen=True)
class _Scheme:
    security: MailSecurity
    port: int


_SCHEMES = {
    "smtp": _Scheme(MailSecurity.NONE, 25),
    "smtp+starttls": _Scheme(MailSecurity.STARTTLS, 587),
    "smtps": _Scheme(MailSecurity.TLS, 465),
}


def is_mail_address(text: str) -> bool:
    """Check for a plain address: dot-atom, ASCII, a domain of at least two labels (RFC 5321, section 4.1.2).

    Stricter than the RFC on purpose: no quotes, comments or address literals, and nothing that smtplib would cut or
    fold or that a mail program would decode (`=?`, RFC 2047).
    """
    return len(text) <= MAX_MAIL_ADDRESS_LENGTH and _MAIL_ADDRESS.fullmatch(text) is not None


def parse_mail_url(url: str, sender: str, ca_file: str | None = None) -> MailServer:
    """Parse `smtp://`, `smtp+starttls://` or `smtps://`, optionally with `user:password@` (percent-encoded) and a port.

    sender: see `check_sender`.
    Raises ValueError with the rest of a sentence about the URL. The sentence never repeats it: it may hold a password.
    """
    parts, host, port = _split(url)
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None:
        raise ValueError("has to begin with smtp://, smtp+starttls:// or smtps://.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("has to end after the host or the port.")
    username, password = _read_sign_in(parts, scheme.security)
    return MailServer(host, port or scheme.port, sender, scheme.security, username, password, ca_file)


def check_mail_url(url: str) -> str:
    """Return the URL if `parse_mail_url` accepts it. Raises ValueError as `parse_mail_url` does."""
    parse_mail_url(url, sender="")
    return url


def check_sender(address: str) -> str:
    """Return the sender's address. Raises ValueError with the rest of a sentence about it."""
    if not is_mail_address(address):
        raise ValueError("has to be a plain email address such as alerts@example.com.")
    return address


def _split(url: str) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        host = canonical_host(f"[{host}]" if ":" in host else host)
        parse_ip_address(host)
        return parts, host, parts.port
    except ValueError:  # `NotAHost` is a subclass
        raise ValueError("has no valid host or port.") from None


def _read_sign_in(parts: SplitResult, security: MailSecurity) -> tuple[str | None, str | None]:
    if parts.username is None and parts.password is None:
        return None, None
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not username or not password:
        raise ValueError("needs both a user name and a password, or neither.")
    if not (username + password).isascii():
        raise ValueError("needs a user name and a password in ASCII: smtplib cannot send any others.")
    if security is MailSecurity.NONE:
        raise ValueError(
            "has a password, which is sent only over an encrypted connection: use smtp+starttls:// or smtps://."
        )
    return username, password
