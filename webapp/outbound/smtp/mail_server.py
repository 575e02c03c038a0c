"""The configured mail server: its address, the security of the connection, and the sender of all email."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

from webapp.outbound.policy.hostnames import canonical_host, parse_ip_address
from webapp.outbound.smtp.addresses import is_mail_address
from webapp.outbound.transport.limits import LIMITS, Limits


class MailSecurity(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"

    @property
    def scheme(self) -> str:
        """The scheme of ALERTCHECK_MAIL_URL that stands for it."""
        return next(name for name, scheme in _SCHEMES.items() if scheme.security is self)


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
        return parts, _read_host(host), parts.port
    except ValueError:  # `NotAHost` is a subclass
        raise ValueError("has no valid host or port.") from None


def _read_host(text: str) -> str:
    """Return the canonical host. Names of services in a container network may have underscores."""
    canonical = canonical_host(f"[{text}]" if ":" in text else text.replace("_", "x"))
    parse_ip_address(canonical)
    return text.lower().removesuffix(".") if "_" in text else canonical


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
