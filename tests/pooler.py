"""A real PgBouncer in front of the tests' PostgreSQL."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import make_url

from benchmarks.installation.scripted_server import closed_port
from benchmarks.installation.servers import ServiceMissing, find_prefix, make_home
from tests.outbound.certificates import Issued
from webapp.demo.supervisor.processes import start, with_parent_death_signal

USER, PASSWORD = "pooled", "pooled-password"

# Seconds within which it must accept connections.
START_LIMIT = 60.0


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer."""

    port: int

    def url(self, database_url: str) -> str:
        """Return the address of a database behind the pooler."""
        database = make_url(database_url).database
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running_pooler(server_url: str, certificate: Issued | None = None, **options: str) -> Iterator[Pooler]:
    """Run PgBouncer inside a `with`, for any database of this server.

    certificate: its own for TLS, if it has one. options: its settings.

    Raises `ServiceMissing` if it is not installed.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise ServiceMissing("no PgBouncer: apt-get install pgbouncer")
    prefix = find_prefix(Path(program))
    home, port = make_home(prefix), closed_port()
    options |= {"listen_addr": "127.0.0.1", "listen_port": str(port)}
    if certificate is not None:
        options |= _write_certificate(home, certificate)
    _write_configuration(home, server_url, options)
    command = [*prefix, *with_parent_death_signal([program, str(home / "pgbouncer.ini")])]
    process = start("pgbouncer", command, log=home / "log", parent_death_signal=False)
    try:
        _wait_until_it_listens(port)
        yield Pooler(port)
    finally:
        process.kill()
        shutil.rmtree(home, ignore_errors=True)


def _write_configuration(home: Path, server_url: str, options: dict[str, str]) -> None:
    url = make_url(server_url)
    target = {
        "host": url.host or url.query.get("host"),
        "port": url.port,
        "user": url.username,
        "password": url.password,
    }
    words = " ".join(f"{name}={value}" for name, value in target.items() if value)
    settings = {"auth_type": "md5", "auth_file": home / "users.txt", "unix_socket_dir": "", **options}
    lines = ["[databases]", f"* = {words}", "[pgbouncer]", *(f"{name} = {value}" for name, value in settings.items())]
    (home / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
    (home / "users.txt").write_text(f'"{USER}" "{PASSWORD}"\n')


def _write_certificate(home: Path, certificate: Issued) -> dict[str, str]:
    paths = {"client_tls_cert_file": certificate.pem, "client_tls_key_file": certificate.key_pem}
    for name, content in paths.items():
        (home / name).write_bytes(content)
    return {name: str(home / name) for name in paths}


def _wait_until_it_listens(port: int) -> None:
    deadline = monotonic() + START_LIMIT
    while monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        sleep(0.05)
    raise ServiceMissing("PgBouncer accepts no connections")
