"""Certificates that trustme does not issue: with any dates, names, keys and issuers, in any order of the chain."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "hooks.example.com"
DAY = timedelta(days=1)
Validity = tuple[timedelta, timedelta]
CURRENT: Validity = (-DAY, 30 * DAY)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and the authority that signed it (None: self-signed)."""

    certificate: x509.Certificate
    key: Key = field(repr=False)
    issuer: "Issued | None" = None

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key in PEM."""
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(encoding, form, serialization.NoEncryption())

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


def issue(
    common_name: str,
    issuer: Issued | None = None,
    *,
    names: Sequence[x509.GeneralName] | None = None,
    valid: Validity = CURRENT,
    is_authority: bool = False,
    purpose: x509.ObjectIdentifier | None = None,
    key: Key | None = None,
    serial_number: int | None = None,
) -> Issued:
    """Issue a certificate. names: its subject alternative names, or `NAME` (none for an authority).

    valid: from when to when, from now.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name, _validate=False)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(serial_number or x509.random_serial_number())
        .not_valid_before(now + valid[0])
        .not_valid_after(now + valid[1])
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names is None:
        names = [] if is_authority else [x509.DNSName(NAME)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key, issuer)


def authority(common_name: str, issuer: Issued | None = None, valid: Validity = CURRENT) -> Issued:
    """Issue the certificate of an authority: a root without `issuer`, else an intermediate."""
    return issue(common_name, issuer, is_authority=True, valid=valid)


def serving(own: Issued, *others: Issued) -> ssl.SSLContext:
    """Return the TLS context of a server that sends exactly these certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak keys are for the client to refuse
    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(own.key_pem + own.pem + b"".join(other.pem for other in others))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def write_pem(folder: Path, *trusted: Issued) -> str:
    """Write a file of authorities as the administrator would, and return its path."""
    path = folder / f"{trusted[0].certificate.serial_number:x}.pem"
    path.write_bytes(b"".join(one.pem for one in trusted))
    return str(path)


FOR_CLIENTS = ExtendedKeyUsageOID.CLIENT_AUTH
