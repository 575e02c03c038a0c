"""The configured mail server: its address, the security of the connection, and the sender of all email."""

from dataclasses import dataclass, field
from enum import StrEnum

from webapp.environment.url_parts import UrlParts, find_scheme, split_url
from webapp.outbound.policy.hostnames import canonical_host, parse_ip_address
from webapp.outbound.policy.urls import Route
from webapp.outbound.smtp.sender import FromHeader, Sender
from webapp.outbound.transport.deadline import LIMITS, Limits


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

    sender: the plain address for MAIL FROM. sender_name: the name that mail programs show; empty for none.
    ca_file: a PEM file of authorities to trust in addition to the public ones.
    demo_route: in a demo, where its mail server really listens.
    """

    host: str
    port: int
    sender: str
    security: MailSecurity = MailSecurity.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    limits: Limits = LIMITS
    sender_name: str = ""
    demo_route: Route | None = None

    @property
    def from_header(self) -> FromHeader:
        """The value of the header From."""
        return FromHeader(Sender(self.sender, self.sender_name))


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

    sender: the plain address of the sender.
    Raises ValueError with the rest of a sentence about the URL. The sentence never repeats it: it may hold a password.
    """
    scheme = _SCHEMES.get(find_scheme(url))
    if scheme is None:
        raise ValueError("has to begin with smtp://, smtp+starttls:// or smtps://.")
    parts = split_url(url)
    host = _read_host(parts.host)
    if parts.tail.strip("/"):
        raise ValueError("has to end after the host or the port.")
    username, password = _read_sign_in(parts, scheme.security)
    return MailServer(host, parts.port or scheme.port, sender, scheme.security, username, password, ca_file)


def check_mail_url(url: str) -> str:
    """Return the URL if `parse_mail_url` accepts it. Raises ValueError as `parse_mail_url` does."""
    parse_mail_url(url, sender="")
    return url


def _read_host(text: str) -> str:
    """Return the canonical host. Names of services in a container network may have underscores."""
    try:
        canonical = canonical_host(text.replace("_", "x"))
        parse_ip_address(canonical)
    except ValueError:  # `NotAHost` is a subclass
        raise ValueError("has no valid host.") from None
    return text if "_" in text else canonical


def _read_sign_in(parts: UrlParts, security: MailSecurity) -> tuple[str | None, str | None]:
    username, password = parts.username, parts.password
    if username is None and password is None:
        return None, None
    if not username or not password:
        raise ValueError("needs both a user name and a password, or neither.")
    if not (username + password).isascii():
        raise ValueError("needs a user name and a password in ASCII: smtplib cannot send any others.")
    if security is MailSecurity.NONE:
        raise ValueError(
            "has a password, which is sent only over an encrypted connection: use smtp+starttls:// or smtps://."
        )
    return username, password
