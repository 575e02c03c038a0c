"""Measures the import time of the web process, and the share of packages that only a worker or a command needs."""

import os
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping

from cryptography.fernet import Fernet

from benchmarks.installation.processes import ROOT
from benchmarks.report import Table

# A line of `-X importtime`: the microseconds that a module itself took, and its name.
LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")

# Modules that only send or process jobs. A press needs the queue of `rq`.
WORKERS = ("rq", "requests", "urllib3", "charset_normalizer", "smtplib", "standardwebhooks", "webapp.worker.supervisor")

# Packages that only `flask db` needs.
COMMANDS = ("alembic", "mako", "flask_migrate")


def measure(full: bool) -> Table:
    """Import the application several times in new processes, and take the median of each package."""
    runs = [_import_once() for _ in range(15 if full else 5)]
    total = statistics.median(sum(run.values()) for run in runs)
    medians = [(name, statistics.median(_add_up(name, run) for run in runs)) for name in (*WORKERS, *COMMANDS)]
    rows = [(_describe(name), value, value / total) for name, value in medians]
    return Table("imports", "Import of the web process", ("ms", "share of total"), [("wsgi", total, 1.0), *rows])


def _describe(name: str) -> str:
    return f"{name}, workers only" if name in WORKERS else f"{name}, commands only"


def _add_up(name: str, run: Mapping[str, float]) -> float:
    """Return the ms of a package's own modules, without their imports from other packages."""
    return sum(value for module, value in run.items() if module == name or module.startswith(f"{name}."))


def _import_once() -> dict[str, float]:
    """Return the ms that each module itself took."""
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "x" * 32,
        "ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "sqlite:////nowhere/alertcheck.sqlite",  # no import opens it
        "REDIS_URL": "redis://localhost",
    }
    command = [sys.executable, "-X", "importtime", "-c", "import wsgi"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return {found[2]: int(found[1]) / 1000 for found in map(LINE.match, done.stderr.splitlines()) if found}
