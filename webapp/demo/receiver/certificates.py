"""Issues the receiver's certificates: a valid one, and those that a sender has to refuse or to mind.

Each start of the demo makes new ones.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from webapp.demo.receiver.scenarios import Certificate
from webapp.demo.receiver.switches import Switches, name_host
from webapp.environment.demo_hosts import AUTHORITY_FILE, CERTIFICATES, list_hosts

AUTHORITY_NAME = "Alertcheck demo authority"
OTHER_HOST = "www.another.example"

DAY = timedelta(days=1)
_PERIODS = {
    Certificate.VALID: (-DAY, 89 * DAY),
    Certificate.EXPIRED: (-93 * DAY, -3 * DAY),
    Certificate.EXPIRING: (-83 * DAY, 7 * DAY),
    Certificate.SELF_SIGNED: (-DAY, 89 * DAY),
    Certificate.OTHER_HOST: (-DAY, 89 * DAY),
}


@dataclass(frozen=True)
class _Signer:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def make_certificates(directory: Path, now: datetime) -> None:
    """Write the authority's certificate, and each certificate with its key, readable by their owner only.

    The authority's own key is kept nowhere, so that nobody can issue another certificate that the demo trusts.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _Signer(_name(AUTHORITY_NAME), _new_key())
    _write(directory / AUTHORITY_FILE, _issue(authority, authority, (), (-100 * DAY, 100 * DAY), now))
    for certificate, period in _PERIODS.items():
        hosts = (OTHER_HOST,) if certificate is Certificate.OTHER_HOST else list_hosts()
        own = _Signer(_name(hosts[0]), _new_key())
        issuer = own if certificate is Certificate.SELF_SIGNED else authority
        _write(directory / f"{certificate}.pem", _key_pem(own.key), _issue(own, issuer, hosts, period, now))


def load_context(directory: Path, switches: Switches | None) -> ssl.SSLContext:
    """Return the context of a server whose certificate depends on the host that the client names."""
    contexts = {certificate: _load(directory / f"{certificate}.pem") for certificate in Certificate}

    def choose(connection: ssl.SSLObject, host: str | None, _context: ssl.SSLContext) -> None:
        connection.context = contexts[find_certificate(host or "", switches)]

    contexts[Certificate.VALID].sni_callback = choose
    return contexts[Certificate.VALID]


def find_certificate(host: str, switches: Switches | None) -> Certificate:
    """Return the certificate of a host: the one that it was switched to, or else the one that its name selects."""
    label, _, service = host.partition(".")
    named = Certificate(label) if label in CERTIFICATES and service else Certificate.VALID
    return (switches.find(name_host(host), Certificate) if switches else None) or named


def _load(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _issue(
    subject: _Signer, issuer: _Signer, hosts: Iterable[str], period: tuple[timedelta, timedelta], now: datetime
) -> bytes:
    names = [x509.DNSName(host) for host in hosts]
    builder = (
        x509.CertificateBuilder(subject_name=subject.name, issuer_name=issuer.name)
        .public_key(subject.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) + period[0])
        .not_valid_after(now.astimezone(UTC) + period[1])
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, encryption)


def _write(file: Path, *pem: bytes) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(b"".join(pem))
