"""Measures what each page, and each part of a worker's maintenance, costs in a small and in a large installation.

The cost is CPU time: of this process, and of its PostgreSQL server processes on the same machine.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from psycopg import Connection
from sqlalchemy import event

from benchmarks.dataset import fill_database
from benchmarks.growth_cases import METRICS_TOKEN, Case, list_pages, list_passes
from benchmarks.growth_rows import add_history
from benchmarks.installation.installation import Installation
from benchmarks.report import Table
from benchmarks.setup import install
from webapp.extensions import db

SETTINGS = {"ALERTCHECK_KEEP_DELIVERIES_DAYS": "170", "ALERTCHECK_METRICS_TOKEN": METRICS_TOKEN}


@dataclass(frozen=True)
class Size:
    """An installation. destinations: of the second workspace. workspaces: of the owner, besides. events: audit events.

    problems: closed ones, and as many notices. is_wide: whether the pages of the second workspace are measured.
    """

    name: str
    deliveries: int
    destinations: int = 100
    workspaces: int = 3
    events: int = 1_000
    problems: int = 100
    is_wide: bool = False


SMALL = Size("small", 10**4)
LARGE = (
    Size("100,000 deliveries", 10**5, events=10**5, problems=10**4),
    Size("1,000 destinations, 200 workspaces", 10**5, destinations=1_000, workspaces=200, is_wide=True),
)
LARGEST = (
    Size("10,000,000 deliveries", 10**7, events=10**6, problems=10**5),
    Size("10,000 destinations, 1,000 workspaces", 10**5, destinations=10_000, workspaces=1_000, is_wide=True),
)


@dataclass(frozen=True)
class Subject:
    """An installation that is measured, its cases, and the ids of its processes of the database server."""

    cases: Mapping[str, Case]
    processes: set[int] = field(default_factory=set)

    def time(self, name: str) -> float:
        """Return the CPU ms of one execution."""
        before, started = self._server_ms(), time.process_time()
        self.cases[name]()
        return (time.process_time() - started) * 1000 + self._server_ms() - before

    def _server_ms(self) -> float:
        return sum(map(_read_ms, self.processes))


def measure(full: bool) -> Table:
    """Fill databases on PostgreSQL, and execute each case several times in turns. The least time counts."""
    rows: list[tuple[str, *tuple[float, ...]]] = []
    for size in LARGEST if full else LARGE:
        with ExitStack() as stack:
            small, large = (stack.enter_context(_subject(one, size.is_wide)) for one in (SMALL, size))
            rows += [
                (f"{size.name}: {name}", most, least, most / least)
                for name, least, most in _compare(small, large, 7 if full else 3)
            ]
    columns = ("CPU ms", "CPU ms of the small installation", "cost ratio to the small installation")
    return Table("growth", "Pages and maintenance as an installation grows", columns, rows, bars=2)


@contextmanager
def _subject(size: Size, is_wide: bool) -> Iterator[Subject]:
    with install("postgresql", **SETTINGS) as installation:
        started = time.monotonic()
        dataset = fill_database(installation, size.deliveries, size.destinations, size.workspaces)
        add_history(installation, dataset, size.events, size.problems)
        print(f"{size.name}: filled in {time.monotonic() - started:.0f} s", flush=True)
        workspace = dataset.thousand if is_wide else dataset.hundred
        pages = list_pages(installation, workspace)
        passes = list_passes(installation, datetime.now(UTC))
        subject = Subject(
            {**pages, **{f"worker: {name}": _in_context(installation, one) for name, one in passes.items()}}
        )
        _follow_processes(installation, subject.processes)
        yield subject


def _follow_processes(installation: Installation, processes: set[int]) -> None:
    with installation.app.app_context():
        engine = db.engine

    def note(connection: Connection[object], *_rest: object) -> None:
        processes.add(connection.info.backend_pid)

    event.listen(engine, "checkout", note)


def _in_context(installation: Installation, case: Case) -> Callable[[], None]:
    def run() -> None:
        with installation.app.app_context():
            case()
            db.session.remove()

    return run


def _compare(small: Subject, large: Subject, rounds: int) -> Iterator[tuple[str, float, float]]:
    for name in small.cases:
        for subject in (small, large):
            subject.cases[name]()  # fills caches, and prepares statements
        times = [(small.time(name), large.time(name)) for _ in range(rounds)]
        yield name, min(one for one, _ in times), min(other for _, other in times)


def _read_ms(pid: int) -> float:
    """Return the CPU ms of a process; none once it has ended."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    except FileNotFoundError:
        return 0.0
