"""What one delivery costs, step by step: the press's enqueue, RQ's job, the claim, the send and the record."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import free_port
from benchmarks.receiver import receiver
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, add_webhooks, install
from webapp import deliveries
from webapp.deliveries import claiming, sending
from webapp.extensions import db
from webapp.settings import current_settings

STEPS = ("enqueue", "claim", "send", "record")


@dataclass
class Meter:
    """What each step took, in s by the clock and in s of this process' CPU, and the statements that it made."""

    clock: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    statements: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    step: str = ""

    @contextmanager
    def during(self, step: str) -> Iterator[None]:
        """Measure what is done inside."""
        self.step, clock, cpu = step, time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.clock[step] += time.perf_counter() - clock
            self.cpu[step] += time.process_time() - cpu

    def around(self, step: str, whole: Callable[..., Any]) -> Callable[..., Any]:
        """Measure every call of a function."""

        def measured(*arguments: Any, **named: Any) -> Any:
            with self.during(step):
                return whole(*arguments, **named)

        return measured


def measure(full: bool) -> Table:
    """Send one after the other in this process, without a worker."""
    count = 1000 if full else 200
    rows = [row for kind in KINDS for row in _measure_one(kind, count)]
    return Table("steps", "What one delivery costs", ("ms", "ms of CPU", "statements"), rows, bars=1)


def _measure_one(kind: Kind, count: int) -> list[tuple[str, float, float, float]]:
    meter = Meter()
    with (
        TemporaryDirectory() as logs,
        receiver(free_port(), 0, Path(logs)) as end,
        install(kind, ALERTCHECK_TRUSTED_ORIGINS=end.origin) as installation,
    ):
        ids = [installation.request_test(number) for number in add_webhooks(installation, end.origin, count)]
        _send_all(installation, ids, meter)
    scale = 1000 / count
    return [
        (f"{step}, {kind}", meter.clock[step] * scale, meter.cpu[step] * scale, meter.statements[step] / count)
        for step in STEPS
    ]


def _send_all(installation: Installation, ids: list[int], meter: Meter) -> None:
    with (
        installation.app.app_context(),
        patch.object(sending, "claim", meter.around("claim", claiming.claim)),
        patch.object(sending, "attempt_send", meter.around("send", sending.attempt_send)),
        patch.object(sending, "record", meter.around("record", sending.record)),
    ):
        event.listen(db.engine, "before_cursor_execute", lambda *_: _count(meter))
        for delivery_id in ids:
            with meter.during("enqueue"):
                installation.enqueue(delivery_id)
            deliveries.send(delivery_id, current_settings())


def _count(meter: Meter) -> None:
    meter.statements[meter.step] += 1
