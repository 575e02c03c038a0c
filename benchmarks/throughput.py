"""Measures deliveries per second (claim, send and record) with receivers that respond at once and after 200 ms."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from statistics import median
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

Row = tuple[str, float, float, float, float, float, float]

# Addresses of receivers, by the seconds after which each responds.
Origins = Mapping[float, str]

DELAYS = (0.0, 0.2)
PROCESSES = 2

# How the tests reach the queue: a job for each, as by presses, or all at once, as by Test all.
HANDED_OVER = ("one by one", "at once")

# Seconds: less than the two minutes after which a waiting test ends.
TIME_LIMIT = 110.0


@dataclass(frozen=True)
class WorkerResult:
    """Rates in deliveries per second.

    rate: from the first claim, so it includes the first wait for a receiver. middle_rate: of the middle half.
    cpu: CPU ms of the worker per delivery. memory: the worker's peak in MiB.
    """

    rate: float
    middle_rate: float
    cpu: float
    memory: float


def measure(full: bool) -> Table:
    """Fill a queue, start a worker and measure how fast it empties it: with each receiver in turn, several times."""
    count, rounds = (2000, 5) if full else (500, 3)
    columns = (
        "deliveries/s",
        "ratio to bare loop",
        "ratio to 0 ms",
        "ratio to 0 ms, middle half",
        "CPU ms each",
        "worker MiB",
    )
    with TemporaryDirectory() as logs, ExitStack() as running:
        origins = {
            seconds: running.enter_context(run_receiver(free_port(), seconds, Path(logs))).origin for seconds in DELAYS
        }
        return Table("throughput", "Throughput", columns, _measure_all(origins, count, rounds))


def _measure_all(origins: Origins, count: int, rounds: int) -> list[Row]:
    bare = {
        seconds: _run_bare_loop(origin, max(20, int(count * (0.02 if seconds else 0.4))))
        for seconds, origin in origins.items()
    }
    rows = [(f"bare requests loop, {_label(seconds)}", rate, 1.0, 0.0, 0.0, 0.0, 0.0) for seconds, rate in bare.items()]
    for kind, how in product(KINDS, HANDED_OVER):
        together = 1 if how == "one by one" else count
        results = [
            {seconds: _run_worker(kind, origin, count, together) for seconds, origin in origins.items()}
            for _ in range(rounds)
        ]
        rows += [_summarize(f"worker on {kind}, {how}, {_label(seconds)}", seconds, results, bare) for seconds in bare]
    return rows


def _label(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms receiver"


def _summarize(
    label: str, seconds: float, results: Sequence[Mapping[float, WorkerResult]], bare: Mapping[float, float]
) -> Row:
    """Return the medians of all rounds. The speed of the machine changes, so a ratio is one of the same round."""
    own = [each[seconds] for each in results]
    rate = median(result.rate for result in own)
    ratio = median(each[seconds].rate / each[DELAYS[0]].rate for each in results)
    middle = median(each[seconds].middle_rate / each[DELAYS[0]].middle_rate for each in results)
    peak = max(result.memory for result in own)
    return label, rate, rate / bare[seconds], ratio, middle, median(result.cpu for result in own), peak


def _run_bare_loop(origin: str, count: int) -> float:
    started = time.monotonic()
    for _ in range(count):
        requests.post(origin, json={"text": "test"}, timeout=10).raise_for_status()
    return count / (time.monotonic() - started)


def _run_worker(kind: Kind, origin: str, count: int, together: int) -> WorkerResult:
    """Measure a worker with `count` deliveries in its queue. together: how many are enqueued in one call."""
    with install(kind, ALERTCHECK_TRUSTED_ORIGINS=origin) as installation:
        # Pressed together: after 10 s, recovery would requeue what has been waiting since before the start.
        ids = installation.request_tests(add_webhooks(installation, origin, count))
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
        return WorkerResult(*_calculate_rates(installation), (measure_cpu(worker) - started) * 1000 / count, peak)


def _calculate_rates(installation: Installation) -> tuple[float, float]:
    """Return the deliveries per second from the first claim to the last record, and between those in the middle."""
    with installation.app.app_context():
        rows = db.session.scalars(select(AlertDelivery)).all()
        assert all(row.status is DeliveryStatus.SENT for row in rows), "not all deliveries were sent"
        first = min(datetime.fromisoformat(row.attempts[0]["started_at"]) for row in rows if row.attempts)
        ends = sorted(row.updated_at for row in rows)
    early, late = len(ends) // 4, len(ends) * 3 // 4
    middle = (late - early) / (ends[late] - ends[early]).total_seconds()
    return len(ends) / (ends[-1] - first).total_seconds(), middle


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
