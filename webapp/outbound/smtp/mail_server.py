"""The operator's mail server: where it is, how the connection is protected, and who the sender is."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

from webapp.outbound.policy.hostnames import canonical_host, find_literal
from webapp.outbound.transport.limits import LIMITS, Limits

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL_ADDRESS = re.compile(
    r"(?=.{1,64}@)(?!.*=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    rf"@(?:{_LABEL}\.)+(?!\d+$){_LABEL}",
    re.ASCII,
)
LONGEST_MAIL_ADDRESS = 254


class MailSecurity(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class MailServer:
    """Where e-mail leaves. Set by the operator only, so it may be on a private address.

    ca_file: a PEM file of authorities to trust besides the public ones.
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
    """Whether this is a plain address: dot-atom, ASCII, a domain of two labels at least (RFC 5321, section 4.1.2).

    Stricter than the RFC on purpose: no quotes, comments or address literals, and nothing smtplib would cut or fold
    or a mail program decode (`=?`, RFC 2047).
    """
    return len(text) <= LONGEST_MAIL_ADDRESS and _MAIL_ADDRESS.fullmatch(text) is not None


def parse_mail_url(url: str, sender: str, ca_file: str | None = None) -> MailServer:
    """Read `smtp://`, `smtp+starttls://` or `smtps://`, with `user:password@` (percent-encoded) and a port if need be.

    Raises ValueError with the rest of a sentence about the URL, which never repeats it: it may hold the password.
    sender: see `check_sender`.
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
    """Return the URL if `parse_mail_url` takes it, or raise its ValueError."""
    parse_mail_url(url, sender="")
    return url


def check_sender(address: str) -> str:
    """Return the sender's address, or raise ValueError with the rest of a sentence about it."""
    if not is_mail_address(address):
        raise ValueError("has to be a plain e-mail address such as alerts@example.com.")
    return address


def _split(url: str) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        host = canonical_host(f"[{host}]" if ":" in host else host)
        find_literal(host)
        return parts, host, parts.port
    except ValueError:  # `NotAHost` is one
        raise ValueError("has no proper host or port.") from None


def _read_sign_in(parts: SplitResult, security: MailSecurity) -> tuple[str | None, str | None]:
    if parts.username is None and parts.password is None:
        return None, None
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not username or not password:
        raise ValueError("needs both a user name and a password, or neither.")
    if not (username + password).isascii():
        raise ValueError("needs a user name and a password in ASCII: smtplib can send no others.")
    if security is MailSecurity.NONE:
        raise ValueError("has a password, which is only sent encrypted: use smtp+starttls:// or smtps://.")
    return username, password
