"""Which file of authorities vouches for a PostgreSQL server, with real TLS connections."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography import x509

from benchmarks.installation.servers import PostgresServer
from tests.database.connections import reason_of, succeed
from tests.outbound.certificates import DAY, authority, issue, serving, write_pem
from tests.tls_endpoint import tls_endpoint
from webapp.database.outages import Reason

pytestmark = pytest.mark.usefixtures("no_settings_of_the_client")

ROOT, OTHER = authority("Harbor Root"), authority("Other Root")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Files of authorities: the right one, and another one."""
    folder = tmp_path_factory.mktemp("authorities")
    return {"right": write_pem(folder, ROOT, OTHER), "other": write_pem(folder, OTHER)}


def names(*hosts: str) -> list[x509.GeneralName]:
    return [x509.DNSName(host) for host in hosts]


@pytest.fixture(scope="module")
def encrypted(postgres: PostgresServer) -> Iterator[str]:
    """The address of the server behind TLS, with a certificate for localhost from a private authority."""
    with tls_endpoint(postgres.url, serving(issue("db", ROOT, names=names("localhost")))) as url:
        yield url


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
def test_the_administrators_file_vouches_for_the_server(encrypted: str, files: Mapping[str, str], mode: str) -> None:
    assert succeed(f"{encrypted}?sslmode={mode}", files["right"])


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
def test_another_authority_does_not_vouch_for_the_server(encrypted: str, files: Mapping[str, str], mode: str) -> None:
    assert reason_of(f"{encrypted}?sslmode={mode}", ca_file=files["other"]) is Reason.UNTRUSTED


def test_without_a_file_a_certificate_cannot_be_verified(encrypted: str) -> None:
    assert reason_of(f"{encrypted}?sslmode=verify-full") is Reason.NO_AUTHORITIES


def test_a_file_of_its_own_in_the_url_comes_first(encrypted: str, files: Mapping[str, str]) -> None:
    url = f"{encrypted}?sslmode=verify-full&sslrootcert="
    assert succeed(url + files["right"], files["other"])
    assert reason_of(url + files["other"], ca_file=files["right"]) is Reason.UNTRUSTED


def test_a_file_of_the_clients_own_variable_or_folder_comes_first(
    encrypted: str, files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"{encrypted}?sslmode=verify-full"
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_bytes(OTHER.pem)
    assert reason_of(url, ca_file=files["right"]) is Reason.UNTRUSTED
    monkeypatch.setenv("PGSSLROOTCERT", files["right"])
    assert succeed(url, files["other"])


def test_the_mode_may_come_from_the_clients_variable(
    encrypted: str, files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert succeed(encrypted, files["right"])
    assert reason_of(encrypted, ca_file=files["other"]) is Reason.UNTRUSTED


@pytest.mark.parametrize("query", ["", "?sslmode=prefer", "?sslmode=require"])
def test_the_file_does_not_turn_verifying_on(encrypted: str, files: Mapping[str, str], query: str) -> None:
    assert succeed(encrypted + query, files["other"])


def test_a_certificate_for_another_name_has_its_cause(encrypted: str, files: Mapping[str, str]) -> None:
    url = encrypted.replace("localhost", "127.0.0.1")
    assert reason_of(f"{url}?sslmode=verify-full", ca_file=files["right"]) is Reason.WRONG_NAME
    assert succeed(f"{url}?sslmode=verify-ca", files["right"])


def test_an_expired_certificate_has_its_cause(postgres: PostgresServer, files: Mapping[str, str]) -> None:
    context = serving(issue("db", ROOT, names=names("localhost"), valid=(-2 * DAY, -DAY)))
    with tls_endpoint(postgres.url, context) as url:
        assert reason_of(f"{url}?sslmode=verify-full", ca_file=files["right"]) is Reason.UNTRUSTED


def test_a_file_of_authorities_that_cannot_be_read_has_its_cause(encrypted: str) -> None:
    assert reason_of(f"{encrypted}?sslmode=verify-full&sslrootcert=/nowhere.pem") is Reason.NO_AUTHORITIES
    assert reason_of(f"{encrypted}?sslmode=verify-full&sslrootcert={__file__}") is Reason.BAD_AUTHORITIES
