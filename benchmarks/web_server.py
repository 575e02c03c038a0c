"""Runs a web server on loopback as docs/deploy.md does, for as long as it is measured."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.installation.processes import ROOT, Session, free_port, wait_until
from webapp.demo.supervisor.processes import start, with_parent_death_signal

PROCESSES = 2


@contextmanager
def serve(wsgi: str, environment: Mapping[str, str], logs: Path) -> Iterator[str]:
    """Run a web server and yield its origin. wsgi: the module with the application."""
    origin = f"127.0.0.1:{free_port()}"
    command = ["gunicorn", f"{wsgi}:app", "--bind", origin, "--workers", str(PROCESSES)]
    child = start(
        f"gunicorn {wsgi}",
        with_parent_death_signal([sys.executable, "-m", *command]),
        log=logs / f"{wsgi}.log",
        environment=os.environ | dict(environment),
        directory=ROOT,
        parent_death_signal=False,
    )
    try:
        wait_until(Session(f"http://{origin}").is_up)
        yield f"http://{origin}"
    finally:
        child.stop(grace_period=12)
