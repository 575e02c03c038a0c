"""Reads a certificate that a stranger wrote, and keeps only what is safe to show."""

import unicodedata
import warnings
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from string import punctuation

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from webapp.failures import CertificateFacts
from webapp.outbound.exchange_facts import CertificateDates
from webapp.outbound.policy.hostnames import NotAHost, canonical_host

# Characters of an authority's name, and of a host name that is shown.
MAX_NAME = 60

# Host names that are shown.
MAX_NAMES = 2

# What cryptography raises for a certificate that OpenSSL accepted and it does not.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UserWarning,
)
# They would be printed between the lines of the log, and nobody here can mend the certificate.
warnings.filterwarnings("ignore", category=UserWarning, module=rf"{__name__}\Z")

# The most telling attribute of an authority's name first.
_NAME_ATTRIBUTES = (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME)
# Letters of left-to-right scripts, and digits. Others could reorder or hide parts of the sentence around them.
_DIRECTIONS = frozenset({"L", "EN"})
_PUNCTUATION = frozenset(punctuation) - set("\"'`<>&{}\\")
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")


@dataclass(frozen=True)
class SentCertificate:
    """A certificate of a chain. subject, issuer: compared byte by byte, never shown."""

    certificate: x509.Certificate
    subject: bytes
    issuer: bytes
    not_before: datetime
    not_after: datetime

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer


def read_certificate(der: bytes) -> SentCertificate:
    """Parse a certificate in DER. Raises one of `UNREADABLE`."""
    certificate = x509.load_der_x509_certificate(der)
    return SentCertificate(
        certificate,
        certificate.subject.public_bytes(),
        certificate.issuer.public_bytes(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def read_dates(der: bytes) -> CertificateDates:
    """Return the issuer and the dates of a certificate in DER. Raises one of `UNREADABLE`."""
    certificate = x509.load_der_x509_certificate(der)
    issuer = find_safe_name(certificate.issuer)
    return CertificateDates(issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def collect_facts(sent: SentCertificate, host: str, now: datetime) -> CertificateFacts:
    """Return what may be shown of the receiver's own certificate. Raises one of `UNREADABLE`."""
    names, count = _list_names(sent.certificate)
    shown = [name for name in names if len(name) <= MAX_NAME][:MAX_NAMES]
    return CertificateFacts(
        issuer=find_safe_name(sent.certificate.issuer),
        names=tuple(shown),
        more_names=count - len(shown),
        is_for_host=any(_covers(name, host) for name in names),
        not_before=sent.not_before,
        not_after=sent.not_after,
        checked_at=now,
    )


def find_safe_name(name: x509.Name) -> str | None:
    """Return the name of an authority as safe text, or None if there is none."""
    values = (attribute.value for oid in _NAME_ATTRIBUTES for attribute in name.get_attributes_for_oid(oid))
    return next((text for value in values if isinstance(value, str) and (text := reduce_to_safe_text(value))), None)


def reduce_to_safe_text(text: str) -> str:
    """Return at most `MAX_NAME` letters, digits, spaces and marks of ASCII, without quotation marks and brackets."""
    plain = unicodedata.normalize("NFKC", text[: 4 * MAX_NAME])
    safe = "".join(character if _is_safe(character) else " " for character in plain)
    safe = " ".join(safe.split())
    return safe if len(safe) <= MAX_NAME else f"{safe[: MAX_NAME - 1].rstrip()}…"


def _is_safe(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _PUNCTUATION
    is_word = unicodedata.category(character)[0] in "LN" and character not in _INVISIBLE
    return is_word and unicodedata.bidirectional(character) in _DIRECTIONS


def _list_names(certificate: x509.Certificate) -> tuple[list[str], int]:
    """Return the names in canonical form without repetitions, and how many names the certificate has in all."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return [], 0
    dns = extension.value.get_values_for_type(x509.DNSName)
    addresses = [str(address) for address in extension.value.get_values_for_type(x509.IPAddress)]
    names = list(dict.fromkeys(name for text in dns if (name := _canonical_name(text))))
    return names + addresses, len(dict.fromkeys(dns)) + len(addresses)


def _canonical_name(text: str) -> str | None:
    prefix = "*." if text.startswith("*.") else ""
    try:
        return prefix + canonical_host(text.removeprefix("*."))
    except NotAHost:
        return None


def _covers(name: str, host: str) -> bool:
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    if ":" in host:  # an IPv6 address has several spellings
        return ":" in name and ip_address(name) == ip_address(host)
    return name == host
