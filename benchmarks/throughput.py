"""Deliveries a second: claim, send and record, with far ends that answer at once and after 200 ms."""

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import requests
from sqlalchemy import select

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import free_port, wait_until
from benchmarks.receiver import receiver
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, add_webhooks, install
from webapp.demo.supervisor.processes import Child, session_members
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

DELAYS = (0.0, 0.2)
PROCESSES = 2
PATIENCE = 110.0
"""Seconds, under the two minutes that a test send waits at most."""


@dataclass(frozen=True)
class Ran:
    """rate: deliveries a second. cpu: ms that the worker's processes took for each; memory: their most, in MiB."""

    rate: float
    cpu: float
    memory: float


def measure(full: bool) -> Table:
    """Fill a queue, start a worker, and see how fast it gets through."""
    count = 2000 if full else 500
    rows = [row for seconds in DELAYS for row in _measure_one(seconds, count)]
    return Table("throughput", "Throughput", ("deliveries/s", "of a bare loop", "ms of CPU each", "worker MiB"), rows)


def _measure_one(seconds: float, count: int) -> list[tuple[str, float, float, float, float]]:
    told = f"far end of {seconds * 1000:.0f} ms"
    with TemporaryDirectory() as logs, receiver(free_port(), seconds, Path(logs)) as end:
        bare = _run_bare_loop(end.origin, max(20, int(count * (0.02 if seconds else 0.4))))
        found = [(f"bare requests loop, {told}", bare, 1.0, 0.0, 0.0)]
        for kind in KINDS:
            ran = _run_worker(kind, end.origin, count)
            found.append((f"worker on {kind}, {told}", ran.rate, ran.rate / bare, ran.cpu, ran.memory))
        return found


def _run_bare_loop(origin: str, count: int) -> float:
    began = time.monotonic()
    for _ in range(count):
        requests.post(origin, json={"text": "test"}, timeout=10).raise_for_status()
    return count / (time.monotonic() - began)


def _run_worker(kind: Kind, origin: str, count: int) -> Ran:
    with install(kind, ALERTCHECK_TRUSTED_ORIGINS=origin) as installation:
        ids = [installation.request_test(number) for number in add_webhooks(installation, origin, count)]
        for delivery_id in ids:
            installation.enqueue(delivery_id)
        worker, most = installation.stack.start_worker(PROCESSES), 0.0
        wait_until(lambda: len(session_members(worker.pid)) == 1 + PROCESSES)
        began = measure_cpu(worker)

        def has_ended() -> bool:
            nonlocal most
            most = max(most, measure_memory(worker))
            time.sleep(0.2)
            return installation.is_at_rest()

        wait_until(has_ended, PATIENCE)
        return Ran(_tell_rate(installation), (measure_cpu(worker) - began) * 1000 / count, most)


def _tell_rate(installation: Installation) -> float:
    """From the first claim to the last record."""
    with installation.app.app_context():
        rows = db.session.scalars(select(AlertDelivery)).all()
        assert all(row.status is DeliveryStatus.SENT for row in rows), "not everything was sent"
        first = min(datetime.fromisoformat(row.attempts[0]["started_at"]) for row in rows if row.attempts)
        return len(rows) / (max(row.updated_at for row in rows) - first).total_seconds()


def measure_cpu(child: Child) -> float:
    """Add up the seconds of CPU that a command's processes have taken so far."""
    times = [psutil.Process(pid).cpu_times() for pid in session_members(child.pid)]
    return float(sum(used.user + used.system for used in times))


def measure_memory(child: Child | psutil.Process) -> float:
    """Add up what a command's processes take, what they share counted once (PSS), in MiB."""
    total = 0
    for pid in session_members(child.pid):
        try:
            total += psutil.Process(pid).memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 2**20
