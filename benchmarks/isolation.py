"""Measures how much a receiver that never responds slows down the other deliveries: it gets one delivery in five."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from sqlalchemy import select

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import free_port, wait_until
from benchmarks.receiver import run_receiver
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, add_webhooks, install
from webapp.extensions import db
from webapp.models import AlertDelivery

# The delay of a silent receiver in seconds: longer than any send.
SILENT = 60.0


@dataclass(frozen=True)
class Origins:
    """The origins of a receiver that responds and of one that does not."""

    good: str
    silent: str


def measure(full: bool) -> Table:
    """Time the deliveries to a good receiver, first alone and then with deliveries to a silent one among them."""
    count = 1000 if full else 300
    with (
        TemporaryDirectory() as logs,
        run_receiver(free_port(), 0.05, Path(logs)) as good,
        run_receiver(free_port(), SILENT, Path(logs)) as silent,
    ):
        origins = Origins(good.origin, silent.origin)
        rows = [row for kind in KINDS for row in _compare(kind, origins, count)]
    return Table(
        "isolation", "Deliveries beside receivers that never respond", ("median s", "ratio to all good", "p95 s"), rows
    )


def _compare(kind: Kind, origins: Origins, count: int) -> list[tuple[str, float, float, float]]:
    alone = _time_good_receiver(kind, origins, [origins.good] * count)
    among = _time_good_receiver(kind, origins, ([origins.good] * 4 + [origins.silent]) * (count // 5))
    base = median(alone)
    return [
        (f"{kind}, {label}", median(seconds), median(seconds) / base, quantiles(seconds, n=20)[-1])
        for label, seconds in (("all good", alone), ("one in five silent", among))
    ]


def _time_good_receiver(kind: Kind, origins: Origins, addresses: Sequence[str]) -> list[float]:
    """Return the time of each delivery to the good receiver, in seconds from the first claim of all deliveries."""
    with install(kind, ALERTCHECK_TRUSTED_ORIGINS=f"{origins.good},{origins.silent}") as installation:
        ids = [installation.request_test(*add_webhooks(installation, address, 1)) for address in addresses]
        installation.enqueue(*ids)
        installation.stack.start_worker()
        good = [number for number, address in zip(ids, addresses, strict=True) if address == origins.good]
        wait_until(lambda: _have_ended(installation, good), time_limit=110)
        return _read_seconds(installation, good)


def _have_ended(installation: Installation, ids: Sequence[int]) -> bool:
    return len(_read(installation, ids)) == len(ids)


def _read_seconds(installation: Installation, ids: Sequence[int]) -> list[float]:
    rows = _read(installation, ids)
    started = min(datetime.fromisoformat(row.attempts[0]["started_at"]) for row in rows if row.attempts)
    return [(row.updated_at - started).total_seconds() for row in rows]


def _read(installation: Installation, ids: Sequence[int]) -> Sequence[AlertDelivery]:
    with installation.app.app_context():
        ended = select(AlertDelivery).where(AlertDelivery.id.in_(ids), AlertDelivery.sent_at.is_not(None))
        return db.session.scalars(ended).all()
