"""Measures the cost of each step of a delivery: enqueue, claim, send and record."""

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
from benchmarks.receiver import run_receiver
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, add_webhooks, install
from webapp import deliveries
from webapp.app_state import current_settings
from webapp.deliveries.attempts import claiming, recording, sending
from webapp.extensions import db

STEPS = ("enqueue", "claim", "send", "record")


@dataclass
class Meter:
    """The totals of each step: seconds of time, seconds of this process' CPU, and SQL statements."""

    clock: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    statements: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    step: str = ""

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the code of the `with` block to a step."""
        self.step, clock, cpu = step, time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.clock[step] += time.perf_counter() - clock
            self.cpu[step] += time.process_time() - cpu

    def wrap(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that adds each call to a step."""

        def measured(*arguments: Any, **named: Any) -> Any:
            with self.measure(step):
                return function(*arguments, **named)

        return measured


def measure(full: bool) -> Table:
    """Send deliveries one after the other in this process, without a worker."""
    count = 1000 if full else 200
    rows = [row for kind in KINDS for row in _measure_one(kind, count)]
    return Table("steps", "Cost of one delivery", ("ms", "CPU ms", "statements"), rows, bars=1)


def _measure_one(kind: Kind, count: int) -> list[tuple[str, float, float, float]]:
    meter = Meter()
    with (
        TemporaryDirectory() as logs,
        run_receiver(free_port(), 0, Path(logs)) as receiver,
        install(kind, ALERTCHECK_TRUSTED_ORIGINS=receiver.origin) as installation,
    ):
        ids = [installation.request_test(number) for number in add_webhooks(installation, receiver.origin, count)]
        _send_all(installation, ids, meter)
    scale = 1000 / count
    return [
        (f"{step}, {kind}", meter.clock[step] * scale, meter.cpu[step] * scale, meter.statements[step] / count)
        for step in STEPS
    ]


def _send_all(installation: Installation, ids: list[int], meter: Meter) -> None:
    with (
        installation.app.app_context(),
        patch.object(sending, "claim", meter.wrap("claim", claiming.claim)),
        patch.object(sending, "attempt_send", meter.wrap("send", sending.attempt_send)),
        patch.object(recording, "record", meter.wrap("record", recording.record)),
    ):
        event.listen(db.engine, "before_cursor_execute", lambda *_: _count_statement(meter))
        for delivery_id in ids:
            with meter.measure("enqueue"):
                installation.enqueue(delivery_id)
            deliveries.send(delivery_id, current_settings())


def _count_statement(meter: Meter) -> None:
    meter.statements[meter.step] += 1
