"""What a silent far end costs the others: one delivery in five goes to one that never answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from sqlalchemy import select

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import free_port, wait_until
from benchmarks.receiver import receiver
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, add_webhooks, install
from webapp.extensions import db
from webapp.models import AlertDelivery

SILENT = 60.0
"""Seconds: longer than any send."""


@dataclass(frozen=True)
class Ends:
    """Origins of a far end that answers and of one that does not."""

    good: str
    silent: str


def measure(full: bool) -> Table:
    """Send to good far ends alone, then with silent ones among them; told is what the good ones' deliveries took."""
    count = 1000 if full else 300
    with (
        TemporaryDirectory() as logs,
        receiver(free_port(), 0.05, Path(logs)) as good,
        receiver(free_port(), SILENT, Path(logs)) as silent,
    ):
        ends = Ends(good.origin, silent.origin)
        rows = [row for kind in KINDS for row in _compare(kind, ends, count)]
    return Table("neighbours", "Beside far ends that never answer", ("median s", "of all good", "p95 s"), rows)


def _compare(kind: Kind, ends: Ends, count: int) -> list[tuple[str, float, float, float]]:
    alone = _time_good_ones(kind, ends, [ends.good] * count)
    among = _time_good_ones(kind, ends, ([ends.good] * 4 + [ends.silent]) * (count // 5))
    base = median(alone)
    return [
        (f"{kind}, {told}", median(seconds), median(seconds) / base, quantiles(seconds, n=20)[-1])
        for told, seconds in (("all good", alone), ("one in five silent", among))
    ]


def _time_good_ones(kind: Kind, ends: Ends, origins: Sequence[str]) -> list[float]:
    """Return what each delivery to the good far end took, in s from the first claim of all."""
    with install(kind, ALERTCHECK_TRUSTED_ORIGINS=f"{ends.good},{ends.silent}") as installation:
        ids = [installation.request_test(*add_webhooks(installation, origin, 1)) for origin in origins]
        installation.enqueue(*ids)
        installation.stack.start_worker()
        good = [number for number, origin in zip(ids, origins, strict=True) if origin == ends.good]
        wait_until(lambda: _have_ended(installation, good), patience=110)
        return _read_seconds(installation, good)


def _have_ended(installation: Installation, ids: Sequence[int]) -> bool:
    return len(_read(installation, ids)) == len(ids)


def _read_seconds(installation: Installation, ids: Sequence[int]) -> list[float]:
    rows = _read(installation, ids)
    began = min(datetime.fromisoformat(row.attempts[0]["started_at"]) for row in rows if row.attempts)
    return [(row.updated_at - began).total_seconds() for row in rows]


def _read(installation: Installation, ids: Sequence[int]) -> Sequence[AlertDelivery]:
    with installation.app.app_context():
        ended = select(AlertDelivery).where(AlertDelivery.id.in_(ids), AlertDelivery.sent_at.is_not(None))
        return db.session.scalars(ended).all()
