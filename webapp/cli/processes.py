"""The worker, its check, and the version."""

from importlib import import_module
from typing import cast

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from webapp import __version__, queue
from webapp.environment.settings_reader import Misconfigured

# Imported only by its command: the others in this file do not need the worker's code.
WORKER, SINGLE_PROCESS = "webapp.worker.supervisor", "webapp.worker.single_process"


@click.command("version")
def version() -> None:
    """Print the version."""
    click.echo(__version__)


@click.command("worker")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="One per CPU core.")
@click.option("--single", is_flag=True, help="Do everything in one process, which nothing replaces when it dies.")
@with_appcontext
def worker(processes: int, single: bool) -> None:
    """Run a worker that sends deliveries until it is stopped (SIGTERM or Ctrl-C)."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    try:
        if single:
            import_module(SINGLE_PROCESS).run_single_process(app)
        else:
            import_module(WORKER).run_worker(app, processes)
    except Misconfigured as reason:
        raise click.ClickException(str(reason)) from None


@click.command("check-worker")
@with_appcontext
def check_worker() -> None:
    """Check whether a worker does its work: exit with 0, or with 1 and the reason."""
    try:
        is_alive, fault = queue.is_worker_alive(), queue.find_fault()
        outage = None if is_alive else queue.find_outage()
    except queue.QueueUnavailable as unavailable:
        outage = queue.find_outage() or unavailable.outage
    if outage:
        raise click.ClickException(f"No heartbeat of a worker can be read or written. {outage.sentence}")
    if not is_alive and fault:
        raise click.ClickException(f"No recent heartbeat: {fault}.")
    if not is_alive:
        raise click.ClickException(queue.NO_WORKER)
    click.echo("A worker is alive.")


COMMANDS = (version, worker, check_worker)
