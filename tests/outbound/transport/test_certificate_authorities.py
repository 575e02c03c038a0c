"""The administrator's file of authorities: whatever is wrong with it is said at startup, with the cure."""

from datetime import UTC, datetime
from os import mkfifo
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.outbound.certificates import DAY, authority, write_pem
from webapp.environment.settings_reader import Misconfigured
from webapp.outbound.settings import read_policy
from webapp.outbound.transport.certificate_authorities import describe_outdated
from webapp.outbound.transport.tls import make_context

ONE, OTHER = authority("Harbor Root"), authority("Other Root")
PEM = ONE.pem + OTHER.pem
INDENTED = b"".join(b"    " + line + b"\n" for line in OTHER.pem.splitlines())
NOW = datetime.now(UTC)


def refusal(path: object) -> str:
    """Return what the startup says about a file."""
    with pytest.raises(Misconfigured) as caught:
        read_policy({"ALERTCHECK_CA_FILE": str(path)})
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file. Write"),
        (b" \n\n", "an empty file. Write"),
        (b"# our authorities\n", "no certificate in PEM"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nTUlJ\n-----END CERTIFICATE REQUEST-----\n", "no certificate in PEM"),
        (b"-----BEGIN PKCS7-----\nTUlJ\n-----END PKCS7-----\n", "no certificate in PEM"),
        (PEM.decode().encode("utf-16"), "no certificate in PEM"),
        (ONE.der, "in DER. Convert it: openssl x509 -inform der"),
        (trustme.CA().private_key_pem.bytes() + PEM, "a private key. Leave only certificates"),
        (PEM + b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nTUlJ\n-----END ENCRYPTED PRIVATE KEY-----\n", "a private key."),
        (ONE.pem + INDENTED, "does not begin a line"),
        (INDENTED, "does not begin a line"),
        (ONE.pem + OTHER.pem[:300], "certificate number 2 is damaged. Copy it again"),
        (ONE.pem[:300] + b"\n" + OTHER.pem, "certificate number 1 is damaged. Copy it again"),
        (ONE.pem.replace(b"\n", b""), "certificate number 1 is damaged. Copy it again"),
        (ONE.pem + b"-----BEGIN CERTIFICATE-----\n\xff\xfe\n-----END CERTIFICATE-----\n", "number 2 is damaged"),
    ],
)
def test_a_file_that_cannot_be_used_in_full_is_refused_with_the_cure(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    said = refusal(file)
    assert said.startswith("ALERTCHECK_CA_FILE names a")
    assert words in said
    assert str(tmp_path) not in said


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere/ca.pem", "names a file that does not exist here. Correct the path, or mount the file."),
        (f"{__file__}/ca.pem", "names a file that does not exist here. Correct the path, or mount the file."),
        ("/etc", "names a folder. Write all certificates to one file, one after the other, and name that."),
        ("/dev/zero", "names something that is not a file."),
        ("x" * 300, "names a file that cannot be read (error 36)."),
        (ONE.pem.decode(), "takes the path of a file, not the certificates themselves."),
    ],
)
def test_a_path_that_leads_to_no_file_is_refused_with_the_cure(path: str, words: str) -> None:
    assert refusal(path) == f"ALERTCHECK_CA_FILE {words}"


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "ALERTCHECK_CA_FILE names something that is not a file."


def test_a_file_that_alertcheck_may_not_read_is_refused_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> bytes:  # root may read everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (tmp_path / "ca.pem").write_bytes(PEM)
    words = "names a file that Alertcheck may not read. Let the user that runs it read the file."
    assert refusal(tmp_path / "ca.pem") == f"ALERTCHECK_CA_FILE {words}"


@pytest.mark.parametrize(
    "content",
    [
        PEM,
        PEM.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PEM,
        b"# Harbor Logistics\nsubject=CN = Root\n" + PEM,
        PEM.replace(b"-----BEGIN CERTIFICATE", b"-----BEGIN X509 CERTIFICATE").replace(b"END CERT", b"END X509 CERT"),
        ONE.pem + ONE.pem,
    ],
    ids=["plain", "windows", "byte order mark", "comments", "old label", "twice"],
)
def test_a_file_in_any_usual_form_is_accepted_in_full(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    assert read_policy({"ALERTCHECK_CA_FILE": str(file)}).ca_file == str(file)
    expected = {x509.load_pem_x509_certificate(ONE.pem).public_bytes(Encoding.DER)}
    assert expected <= set(make_context(str(file)).get_ca_certs(binary_form=True))


def test_an_expired_authority_is_named_with_its_position_and_the_cure(tmp_path: Path) -> None:
    old = authority("Harbor Root 2019", valid=(-30 * DAY, -DAY))
    day = f"{old.certificate.not_valid_after_utc:%-d %B %Y}"
    (warning,) = describe_outdated(write_pem(tmp_path, ONE, old), NOW)
    where = "Certificate 2 (“Harbor Root 2019”) in ALERTCHECK_CA_FILE"
    assert warning == f"{where} expired on {day}, so Alertcheck cannot trust it. Replace it."


def test_an_authority_that_is_not_yet_valid_is_named(tmp_path: Path) -> None:
    young = authority("Harbor Root 2030", valid=(DAY, 30 * DAY))
    (warning,) = describe_outdated(write_pem(tmp_path, young), NOW)
    assert warning.startswith("Certificate 1 (“Harbor Root 2030”) in ALERTCHECK_CA_FILE is not valid before ")
    assert warning.endswith(". Check the clock of this machine.")


def test_a_valid_file_and_no_file_give_no_warning(tmp_path: Path) -> None:
    assert [*describe_outdated(write_pem(tmp_path, ONE, OTHER), NOW), *describe_outdated(None, NOW)] == []
