"""Checks the administrator's file of authorities, and finds what is wrong with it."""

import re
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from errno import ENOENT, ENOTDIR
from pathlib import Path

from cryptography import x509

from webapp.failures.certificate import format_date, quote
from webapp.outbound.transport.certificates import UNREADABLE, find_safe_name
from webapp.outbound.transport.tls import make_context

_BEGIN = rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----"
_MARKER = re.compile(_BEGIN)
_CERTIFICATE = re.compile(rb"(?ms)^" + _BEGIN + rb".*?(?=^-----BEGIN|\Z)")  # an end may be missing
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_ca_file(path: str) -> str:
    """Return the path of a file that OpenSSL reads. Raises ValueError with the rest of a sentence about it."""
    if "-----BEGIN" in path:
        raise ValueError("takes the path of a file, not the certificates themselves.")
    content = _read(Path(path))
    fault = _find_fault(content)
    if fault is not None:
        raise ValueError(fault)
    try:
        make_context(path)
    except OSError:
        raise ValueError(_find_damage(content)) from None
    return path


def describe_outdated(path: str | None, now: datetime) -> Iterator[str]:
    """Yield a sentence for each certificate of a checked file, if there is one, that is not valid now."""
    if path is None:
        return
    for number, block in enumerate(_CERTIFICATE.findall(Path(path).read_bytes()), 1):
        with suppress(*UNREADABLE):
            certificate = x509.load_pem_x509_certificate(block)
            problem = _describe_validity(certificate, now)
            if problem is not None:
                name = find_safe_name(certificate.subject)
                yield f"Certificate {number}{f' ({quote(name)})' if name else ''} in ALERTCHECK_CA_FILE {problem}."


def _describe_validity(certificate: x509.Certificate, now: datetime) -> str | None:
    if now > certificate.not_valid_after_utc:
        return f"expired on {format_date(certificate.not_valid_after_utc)}, so Alertcheck cannot trust it. Replace it"
    if now < certificate.not_valid_before_utc:
        return f"is not valid before {format_date(certificate.not_valid_before_utc)}. Check the clock of this machine"
    return None


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ValueError("names a folder. Write all certificates to one file, one after the other, and name that.")
        if path.exists() and not path.is_file():  # reading a pipe could take forever
            raise ValueError("names something that is not a file.")
        return path.read_bytes().removeprefix(_BYTE_ORDER_MARK)
    except PermissionError:
        raise ValueError(
            "names a file that Alertcheck may not read. Let the user that runs it read the file."
        ) from None
    except OSError as error:
        if error.errno in (ENOENT, ENOTDIR):
            raise ValueError("names a file that does not exist here. Correct the path, or mount the file.") from None
        raise ValueError(f"names a file that cannot be read (error {error.errno}).") from None


def _find_fault(content: bytes) -> str | None:
    """Return the rest of a sentence about content that OpenSSL would not read, or not all of it; None if it would."""
    certificates = _CERTIFICATE.findall(content)
    if not content.strip():
        return "names an empty file. Write the certificates of your authorities to it, in PEM."
    if _PRIVATE_KEY.search(content):
        return "names a file with a private key. Leave only certificates in it, and keep the key where it is used."
    if _is_der(content):
        return "names a file in DER. Convert it: openssl x509 -inform der -in FILE -out ca.pem"
    if len(certificates) < len(_MARKER.findall(content)):
        return "names a file in which -----BEGIN CERTIFICATE----- does not begin a line. Remove what is before it."
    if not certificates:
        return "names a file that contains no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----."
    return None


def _find_damage(content: bytes) -> str:
    """Return the rest of a sentence about content that OpenSSL cannot read."""
    damaged = [
        number for number, one in enumerate(_CERTIFICATE.findall(content), 1) if not _is_readable(one.decode("latin-1"))
    ]
    which = f"whose certificate number {damaged[0]} is damaged" if damaged else "that OpenSSL cannot read"
    return f"names a file {which}. Copy it again, from -----BEGIN to -----END."


def _is_der(content: bytes) -> bool:
    return not content.startswith(b"-----BEGIN") and _is_readable(content)


def _is_readable(certificate: bytes | str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except (ssl.SSLError, TypeError, ValueError):
        return False
    return True
