"""TLS at the queue server: what only one more connection can tell, and which authorities are trusted."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.x509 import DNSName, IPAddress

from tests.outbound.certificates import Issued, authority, issue, serving, write_pem
from tests.queue.conftest import Look
from tests.queue.servers import CLOSE, TcpServer, running, scripted, tls_options, with_tls
from webapp.queue import QueueOutage

HERE = [IPAddress(ip_address("127.0.0.1"))]
DAY = timedelta(days=1)
ROOT = authority("A private root")
INTERMEDIATE = authority("A private intermediate", ROOT)


@pytest.fixture(scope="module")
def plain(home: Path) -> Iterator[TcpServer]:
    with running("valkey", home) as server:
        yield server


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    return write_pem(tmp_path, ROOT)


def _own(**options: object) -> Issued:
    return issue("queue", ROOT, **({"names": HERE} | options))  # type: ignore[arg-type]


CERTIFICATES = [
    (_own(), None),
    (_own(names=[DNSName("other.example")]), "WRONG_NAME"),
    (_own(valid=(-2 * DAY, -DAY)), "EXPIRED"),
    (_own(valid=(DAY, 2 * DAY)), "NOT_YET_VALID"),
    (issue("queue", authority("Another root"), names=HERE), "UNTRUSTED"),
    (issue("queue", names=HERE), "UNTRUSTED"),
]


@pytest.mark.parametrize(("own", "outage"), CERTIFICATES)
def test_a_refused_certificate_has_its_own_sentence(
    look: Look, plain: TcpServer, ca_file: str, own: Issued, outage: str | None
) -> None:
    with with_tls(serving(own), plain.port) as port:
        found = look(f"rediss://127.0.0.1:{port}", ALERTCHECK_CA_FILE=ca_file)

    assert found is (QueueOutage[outage] if outage else None)


def test_without_the_file_a_private_authority_is_not_trusted(look: Look, plain: TcpServer) -> None:
    with with_tls(serving(_own()), plain.port) as port:
        assert look(f"rediss://127.0.0.1:{port}") is QueueOutage.UNTRUSTED


@pytest.mark.parametrize("trusted", ["root", "intermediate", "own"])
def test_the_file_may_hold_a_root_an_intermediate_or_the_servers_own_certificate(
    look: Look, plain: TcpServer, tmp_path: Path, trusted: str
) -> None:
    own = issue("queue", INTERMEDIATE, names=HERE)
    file = write_pem(tmp_path, {"root": ROOT, "intermediate": INTERMEDIATE, "own": own}[trusted])

    with with_tls(serving(own, INTERMEDIATE), plain.port) as port:
        assert look(f"rediss://127.0.0.1:{port}", ALERTCHECK_CA_FILE=file) is None


def test_a_plain_connection_to_a_server_with_tls_is_told_from_one_that_closes(look: Look, plain: TcpServer) -> None:
    with with_tls(serving(_own()), plain.port) as with_tls_port, scripted(CLOSE) as closing_port:
        assert look(f"redis://127.0.0.1:{with_tls_port}") is QueueOutage.NEEDS_TLS
        assert look(f"redis://127.0.0.1:{closing_port}") is QueueOutage.CLOSED


def test_tls_to_a_server_without_it_is_told_from_silence(look: Look, plain: TcpServer) -> None:
    with scripted() as silent_port:
        assert look(plain.url(scheme="rediss")) is QueueOutage.NOT_TLS
        assert look(f"rediss://127.0.0.1:{silent_port}") is QueueOutage.TIMEOUT


def test_a_web_server_is_told_from_a_server_with_tls(look: Look) -> None:
    with scripted(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert look(f"rediss://127.0.0.1:{port}") is QueueOutage.NOT_TLS


REDIS_WITH_TLS = [
    ("rediss", (), "CLIENT_CERTIFICATE"),
    ("rediss", ("--tls-protocols", "TLSv1.2"), "CLIENT_CERTIFICATE"),
    ("redis", (), "NEEDS_TLS"),
    ("redis", ("--tls-auth-clients", "no"), "NEEDS_TLS"),
    ("rediss", ("--tls-auth-clients", "no"), None),
    ("rediss", ("--tls-auth-clients", "no", "--requirepass", "right"), "AUTH_MISSING"),
    ("rediss", ("--tls-auth-clients", "no", "--cluster-enabled", "yes"), "CLUSTER"),
]


@pytest.mark.parametrize(("scheme", "options", "outage"), REDIS_WITH_TLS)
def test_redis_with_tls_of_its_own(
    look: Look, home: Path, ca_file: str, scheme: str, options: tuple[str, ...], outage: str | None
) -> None:
    with running("redis", home, *tls_options(home, _own(), ROOT), *options, tls=True) as server:
        found = look(server.url(scheme=scheme), ALERTCHECK_CA_FILE=ca_file)

    assert found is (QueueOutage[outage] if outage else None)


def test_a_client_certificate_in_the_url_is_used(look: Look, home: Path, ca_file: str) -> None:
    options = tls_options(home, _own(), ROOT)
    query = f"?ssl_certfile={home / 'cert-file'}&ssl_keyfile={home / 'key-file'}"

    with running("redis", home, *options, tls=True) as server:
        assert look(server.url(database=query, scheme="rediss"), ALERTCHECK_CA_FILE=ca_file) is None
