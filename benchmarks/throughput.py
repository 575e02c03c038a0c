"""Measures deliveries per second (claim, send and record) with receivers that respond at once and after 200 ms."""

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import requests
from sqlalchemy import select

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import free_port, wait_until
from benchmarks.receiver import run_receiver
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, add_webhooks, install
from webapp.demo.supervisor.processes import Child, session_members
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

DELAYS = (0.0, 0.2)
PROCESSES = 2

# How the tests reach the queue: a job for each, as by presses, or all at once, as by Test all.
HANDED_OVER = ("one by one", "at once")

# Seconds: less than the two minutes after which a waiting test ends.
TIME_LIMIT = 110.0


@dataclass(frozen=True)
class WorkerResult:
    """rate: deliveries per second. cpu: CPU ms of the worker per delivery. memory: the worker's peak in MiB."""

    rate: float
    cpu: float
    memory: float


def measure(full: bool) -> Table:
    """Fill a queue, start a worker and measure how fast it empties the queue."""
    count = 2000 if full else 500
    rows = [row for seconds in DELAYS for row in _measure_one(seconds, count)]
    return Table("throughput", "Throughput", ("deliveries/s", "ratio to bare loop", "CPU ms each", "worker MiB"), rows)


def _measure_one(seconds: float, count: int) -> list[tuple[str, float, float, float, float]]:
    label = f"{seconds * 1000:.0f} ms receiver"
    with TemporaryDirectory() as logs, run_receiver(free_port(), seconds, Path(logs)) as receiver:
        bare = _run_bare_loop(receiver.origin, max(20, int(count * (0.02 if seconds else 0.4))))
        rows = [(f"bare requests loop, {label}", bare, 1.0, 0.0, 0.0)]
        for kind, how in product(KINDS, HANDED_OVER):
            result = _run_worker(kind, receiver.origin, count, 1 if how == "one by one" else count)
            row = f"worker on {kind}, {how}, {label}"
            rows.append((row, result.rate, result.rate / bare, result.cpu, result.memory))
        return rows


def _run_bare_loop(origin: str, count: int) -> float:
    started = time.monotonic()
    for _ in range(count):
        requests.post(origin, json={"text": "test"}, timeout=10).raise_for_status()
    return count / (time.monotonic() - started)


def _run_worker(kind: Kind, origin: str, count: int, together: int) -> WorkerResult:
    """Measure a worker with `count` deliveries in its queue. together: how many are enqueued in one call."""
    with install(kind, ALERTCHECK_TRUSTED_ORIGINS=origin) as installation:
        ids = [installation.request_test(number) for number in add_webhooks(installation, origin, count)]
        for first in range(0, count, together):
            installation.enqueue(*ids[first : first + together])
        worker, peak = installation.stack.start_worker(PROCESSES), 0.0
        wait_until(lambda: len(session_members(worker.pid)) == 1 + PROCESSES)
        started = measure_cpu(worker)

        def has_ended() -> bool:
            nonlocal peak
            peak = max(peak, measure_memory(worker))
            time.sleep(0.2)
            return installation.is_at_rest()

        wait_until(has_ended, TIME_LIMIT)
        return WorkerResult(_calculate_rate(installation), (measure_cpu(worker) - started) * 1000 / count, peak)


def _calculate_rate(installation: Installation) -> float:
    """Return the deliveries per second from the first claim to the last record."""
    with installation.app.app_context():
        rows = db.session.scalars(select(AlertDelivery)).all()
        assert all(row.status is DeliveryStatus.SENT for row in rows), "not all deliveries were sent"
        first = min(datetime.fromisoformat(row.attempts[0]["started_at"]) for row in rows if row.attempts)
        return len(rows) / (max(row.updated_at for row in rows) - first).total_seconds()


def measure_cpu(child: Child) -> float:
    """Return the seconds of CPU that a command's processes have used so far."""
    times = [psutil.Process(pid).cpu_times() for pid in session_members(child.pid)]
    return float(sum(used.user + used.system for used in times))


def measure_memory(child: Child | psutil.Process) -> float:
    """Return the memory of a command's processes in MiB, with shared memory counted once (PSS)."""
    total = 0
    for pid in session_members(child.pid):
        try:
            total += psutil.Process(pid).memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 2**20
