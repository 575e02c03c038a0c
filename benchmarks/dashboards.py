"""What many dashboards cost that are left open on a badge that is Pending, and what somebody else notices of them."""

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

from benchmarks.dataset import fill
from benchmarks.load import Question
from benchmarks.pages import begin_test, sign_in
from benchmarks.report import Table
from benchmarks.setup import KINDS, Kind, install
from benchmarks.web_server import serve

DASHBOARDS = 1_000
PHASES = ((0, 5), (5, 15), (15, 25))
"""Seconds after they were all opened, at once, on a test that had just begun."""

PACE = re.compile(rb'hx-trigger="every (\d+)ms"')
REST = 0.1
"""Seconds between two requests of the other person."""


@dataclass
class Observed:
    """Of one phase. polls: answered ones. waits: seconds that the other person waited for each fragment."""

    polls: int = 0
    waits: list[float] = field(default_factory=list)
    processor: float = 0.0


def measure(full: bool) -> Table:
    """Open them on each kind of database. full: watch for longer what it is like without them."""
    columns = ("polls/s", "cores of the web server", "another's median ms", "p95 ms")
    rows = [row for kind in KINDS for row in _measure_one(kind, 10.0 if full else 3.0)]
    return Table("dashboards", f"{DASHBOARDS:,} dashboards left open on what is Pending", columns, rows)


def _measure_one(kind: Kind, seconds: float) -> Iterator[tuple[str, *tuple[float, ...]]]:
    with install(kind) as installation, TemporaryDirectory() as logs:
        scene = fill(installation, 10**4)
        with serve("wsgi", installation.stack.environment, Path(logs)) as origin:
            where, cookie = f"/w/{scene.hundred}/destinations", sign_in(origin)
            other = Question(origin, f"{where}/{scene.heavy}/status", cookie)
            alone = Observed()
            asyncio.run(_observe(other, lambda: alone, seconds))
            yield _tell(f"{kind}, none open", alone, seconds)
            begin_test(installation, scene.light)
            phases = asyncio.run(_open_all(Question(origin, f"{where}/{scene.light}/status", cookie), other))
            for (begin, end), observed in zip(PHASES, phases, strict=True):
                yield _tell(f"{kind}, {begin} to {end} s after the press", observed, end - begin)


def _tell(told: str, observed: Observed, seconds: float) -> tuple[str, *tuple[float, ...]]:
    waits = [1000 * wait for wait in observed.waits]
    return told, observed.polls / seconds, observed.processor / seconds, median(waits), quantiles(waits, n=20)[-1]


async def _open_all(poll: Question, other: Question) -> list[Observed]:
    phases = [Observed() for _ in PHASES]
    began = time.monotonic()

    def now() -> Observed:
        age = time.monotonic() - began
        return next((phases[number] for number, (_, end) in enumerate(PHASES) if age < end), phases[-1])

    dashboards = [asyncio.create_task(_keep_open(poll, now)) for _ in range(DASHBOARDS)]
    await _observe(other, now, PHASES[-1][1])
    assert not any(task.done() for task in dashboards), "a dashboard stopped asking"
    for task in dashboards:
        task.cancel()
    await asyncio.gather(*dashboards, return_exceptions=True)
    return phases


async def _keep_open(poll: Question, now: Callable[[], Observed]) -> None:
    """Ask as a fragment does: after each answer, at the pace that it tells."""
    while True:
        answer = await _ask(poll)
        now().polls += 1
        found = PACE.search(answer)
        assert found, "it does not ask again"
        await asyncio.sleep(int(found[1]) / 1000)


async def _observe(other: Question, now: Callable[[], Observed], seconds: float) -> None:
    """Ask as another person does, now and then, and watch the web server's processes."""
    processes = [one for one in psutil.process_iter(["cmdline"]) if _is_server(one, other.origin)]
    began, used = time.monotonic(), _add_up(processes)
    while time.monotonic() - began < seconds:
        observed, asked = now(), time.monotonic()
        await _ask(other)
        observed.waits.append(time.monotonic() - asked)
        await asyncio.sleep(REST)
        used, before = _add_up(processes), used
        observed.processor += used - before


async def _ask(question: Question) -> bytes:
    host, port = question.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(question.as_bytes())
    answer = await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:60]
    return answer


def _is_server(process: psutil.Process, origin: str) -> bool:
    return origin.removeprefix("http://") in (process.info["cmdline"] or ())


def _add_up(processes: list[psutil.Process]) -> float:
    """Return the seconds of CPU that they have taken."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
