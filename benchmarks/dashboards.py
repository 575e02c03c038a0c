"""Measures the cost of many dashboards left open on a Pending badge, and their effect on another visitor."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import psutil

from benchmarks.dataset import fill_database
from benchmarks.load import Request
from benchmarks.pages import begin_test, sign_in
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, install
from benchmarks.web_server import serve
from webapp.deliveries.transitions import LOST_AFTER

DASHBOARDS = 1_000

# Start and end in seconds since all dashboards were opened at once, on a test that had just started. Its badge is no
# longer Pending when its attempt counts as lost.
PHASES = ((0, 5), (5, 10), (10, 18))
assert PHASES[-1][1] < LOST_AFTER.total_seconds()

POLL_INTERVAL = re.compile(rb'hx-trigger="every (\d+)ms"')

# Seconds between two requests of the other visitor.
PAUSE = 0.1


@dataclass
class PhaseResult:
    """The measurements of one phase.

    polls: responses to polls. waits: seconds that the other visitor waited for each fragment.
    processor: seconds of CPU that the web server used.
    """

    polls: int = 0
    waits: list[float] = field(default_factory=list)
    processor: float = 0.0


def measure(full: bool) -> Table:
    """Open the dashboards on each kind of database. full: measure longer without dashboards."""
    columns = ("polls/s", "cores of the web server", "other visitor's median ms", "p95 ms")
    rows = [row for kind in KINDS for row in _measure_one(kind, 10.0 if full else 3.0)]
    return Table("dashboards", f"{DASHBOARDS:,} dashboards left open on a Pending test", columns, rows)


def _measure_one(kind: Kind, seconds: float) -> Iterator[tuple[str, *tuple[float, ...]]]:
    with install(kind) as installation, TemporaryDirectory() as logs:
        dataset = fill_database(installation, 10**4)
        with serve("wsgi", installation.stack.environment, Path(logs)) as origin:
            where, cookie = f"/w/{dataset.hundred}/destinations", sign_in(origin)
            other = Request(origin, f"{where}/{dataset.heavy}/status", cookie)
            alone = PhaseResult()
            asyncio.run(_observe(other, lambda: alone, seconds))
            yield _format_row(f"{kind}, none open", alone, seconds)
            begin_test(installation, dataset.light)
            phases = asyncio.run(_open_all(Request(origin, f"{where}/{dataset.light}/status", cookie), other))
            for (begin, end), result in zip(PHASES, phases, strict=True):
                yield _format_row(f"{kind}, {begin} to {end} s after the press", result, end - begin)


def _format_row(label: str, result: PhaseResult, seconds: float) -> tuple[str, *tuple[float, ...]]:
    waits = [1000 * wait for wait in result.waits]
    return label, result.polls / seconds, result.processor / seconds, median(waits), quantiles(waits, n=20)[-1]


async def _open_all(poll: Request, other: Request) -> list[PhaseResult]:
    phases = [PhaseResult() for _ in PHASES]
    started = time.monotonic()

    def now() -> PhaseResult:
        age = time.monotonic() - started
        return next((phases[number] for number, (_, end) in enumerate(PHASES) if age < end), phases[-1])

    dashboards = [asyncio.create_task(_keep_open(poll, now)) for _ in range(DASHBOARDS)]
    await _observe(other, now, PHASES[-1][1])
    assert not any(task.done() for task in dashboards), "a dashboard stopped polling"
    for task in dashboards:
        task.cancel()
    await asyncio.gather(*dashboards, return_exceptions=True)
    return phases


async def _keep_open(poll: Request, now: Callable[[], PhaseResult]) -> None:
    """Poll as a fragment does: after each response, at the interval that it sets."""
    while True:
        response = await _fetch(poll)
        now().polls += 1
        found = POLL_INTERVAL.search(response)
        assert found, "the fragment does not poll"
        await asyncio.sleep(int(found[1]) / 1000)


async def _observe(other: Request, now: Callable[[], PhaseResult], seconds: float) -> None:
    """Send the other visitor's requests, and measure the CPU time of the web server's processes."""
    processes = [one for one in psutil.process_iter(["cmdline"]) if _is_server(one, other.origin)]
    started, used = time.monotonic(), _add_up(processes)
    while time.monotonic() - started < seconds:
        result, sent_at = now(), time.monotonic()
        await _fetch(other)
        result.waits.append(time.monotonic() - sent_at)
        await asyncio.sleep(PAUSE)
        used, before = _add_up(processes), used
        result.processor += used - before


async def _fetch(request: Request) -> bytes:
    host, port = request.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request.as_bytes())
    response = await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    assert response.startswith(b"HTTP/1.1 200 "), response[:60]
    return response


def _is_server(process: psutil.Process, origin: str) -> bool:
    return origin.removeprefix("http://") in (process.info["cmdline"] or ())


def _add_up(processes: list[psutil.Process]) -> float:
    """Return the seconds of CPU that the processes have used."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
