"""How long the web process takes to import itself, and how much of it only a worker needs."""

import os
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping

from cryptography.fernet import Fernet

from benchmarks.installation.processes import ROOT
from benchmarks.report import Table

LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")
"""Of `-X importtime`: what a module took by itself, in microseconds, and its name."""

WORKERS = ("rq", "requests", "urllib3", "charset_normalizer", "smtplib", "standardwebhooks", "webapp.worker.supervisor")
"""What only sends, or only takes jobs; of `rq`, a press needs the queue."""

COMMANDS = ("alembic", "mako", "flask_migrate")
"""What only the commands of `flask db` need."""


def measure(full: bool) -> Table:
    """Import the application anew some times, and take the median of each package."""
    runs = [_import_once() for _ in range(15 if full else 5)]
    whole = statistics.median(sum(run.values()) for run in runs)
    found = [(name, statistics.median(_add_up(name, run) for run in runs)) for name in (*WORKERS, *COMMANDS)]
    rows = [(_describe(name), value, value / whole) for name, value in found]
    return Table("imports", "Import of the web process", ("ms", "of the whole"), [("wsgi", whole, 1.0), *rows])


def _describe(name: str) -> str:
    return f"{name}, for workers alone" if name in WORKERS else f"{name}, for commands alone"


def _add_up(name: str, run: Mapping[str, float]) -> float:
    """Add up the modules of a package, without what they import from elsewhere."""
    return sum(value for module, value in run.items() if module == name or module.startswith(f"{name}."))


def _import_once() -> dict[str, float]:
    """Return what each module took by itself, in ms."""
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
