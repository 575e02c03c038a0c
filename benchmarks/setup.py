"""Sets up installations to measure: real servers, the latest schema, and any number of destinations."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from cryptography.fernet import Fernet

from benchmarks.installation.installation import Installation, installed
from benchmarks.installation.schema import upgrade
from benchmarks.installation.servers import create_database, drop_database, start_postgres
from webapp.application import create_app
from webapp.settings import read_settings

Kind = Literal["sqlite", "postgresql"]

KINDS: tuple[Kind, ...] = ("postgresql", "sqlite")

NO_LIMITS = {"ALERTCHECK_PRESSES_PER_MEMBER": "1000000", "ALERTCHECK_PRESSES_PER_WORKSPACE": "1000000"}


@contextmanager
def install(kind: Kind, **settings: str) -> Iterator[Installation]:
    """Set up an installation with its own database, without starting its processes. settings: environment variables."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with _database(kind, directory) as url:
            _migrate(url)
            with installed(url, directory, **NO_LIMITS, **settings) as installation:
                yield installation


def add_webhooks(installation: Installation, address: str, count: int) -> list[int]:
    """Add webhook destinations at an address and return their ids."""
    return [installation.add_webhook(address, f"Number {number}") for number in range(count)]


@contextmanager
def _database(kind: Kind, directory: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'alertcheck.sqlite'}"
        return
    server = start_postgres(directory)
    try:
        url = create_database(server, "bench")
        yield url
        drop_database(server, "bench")
    finally:
        server.stop()


def _migrate(url: str) -> None:
    settings = {
        "SECRET_KEY": "x" * 32,
        "ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode(),
        "REDIS_URL": "redis://localhost",
    }
    with create_app(read_settings(settings | {"DATABASE_URL": url})).app_context():
        upgrade()
