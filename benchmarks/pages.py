"""Measures requests per second for pages and fragments as the number of deliveries grows."""

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import event, update

from benchmarks.dataset import Dataset, fill_database
from benchmarks.installation.installation import EMAIL, PASSWORD, Installation
from benchmarks.installation.processes import Session
from benchmarks.load import LoadGenerator, Request, fetch, load_generator
from benchmarks.report import Table
from benchmarks.setup import Kind, install
from benchmarks.web_server import serve
from webapp.dashboard.poll_interval import WAIT_AGE
from webapp.extensions import db
from webapp.models import AlertDelivery

SIZES: Mapping[Kind, tuple[int, ...]] = {"postgresql": (10**4, 10**6), "sqlite": (10**4, 10**6)}

# Deliveries on PostgreSQL in the full run.
LARGEST = 10**7

# Measurements of each page. The pages take turns, so that other load on the machine affects all of them alike.
ROUNDS = 3

BARE = "bare view"
BARE_LIST = "bare list of 100 rows"
BARE_HISTORY = "bare history of 50 rows"
PENDING = "status, pending"
BARE_BESIDE = "bare view beside the pending status"
LISTS = ("page of 100 destinations", "page of 1,000 destinations")
HISTORY = "history"

# What a page is compared with, and how many rows it shows. Every other page: with the bare view, and one row.
REFERENCES = dict.fromkeys(LISTS, (BARE_LIST, 100)) | {HISTORY: (BARE_HISTORY, 50), PENDING: (BARE_BESIDE, 1)}


@dataclass(frozen=True)
class PageResult:
    """The measurements of one page. rate: requests per second. size: bytes of a response, including its head."""

    rate: float
    size: int
    queries: int


def measure(full: bool) -> Table:
    """Fill databases, start web servers and measure their request rates."""
    seconds = 3.0 if full else 0.7
    rows = []
    with load_generator() as load:
        for kind, sizes in SIZES.items():
            smallest: dict[str, PageResult] = {}
            for total in [*sizes, *([LARGEST] if full and kind == "postgresql" else [])]:
                results = _measure_one(kind, total, load, seconds)
                smallest = smallest or results
                rows += _format_rows(f"{kind}, {total:,} deliveries", results, smallest)
    columns = ("requests/s", "ratio to bare view", "cost ratio to fewest deliveries", "queries", "bytes", "bytes/row")
    return Table("pages", "Pages as data grows", columns, rows)


def _format_rows(
    label: str, results: Mapping[str, PageResult], smallest: Mapping[str, PageResult]
) -> list[tuple[str, *tuple[float, ...]]]:
    rows: list[tuple[str, *tuple[float, ...]]] = []
    for name, page in results.items():
        reference, shown = REFERENCES.get(name, (BARE, 1))
        ratio, growth = page.rate / results[reference].rate, smallest[name].rate / page.rate
        rows.append((f"{label}: {name}", page.rate, ratio, growth, page.queries, page.size, page.size / shown))
    return rows


def _measure_one(kind: Kind, total: int, load: LoadGenerator, seconds: float) -> dict[str, PageResult]:
    """Return the result of each page by its name."""
    with install(kind) as installation, ExitStack() as running, TemporaryDirectory() as logs:
        started = time.monotonic()
        dataset = fill_database(installation, total)
        print(f"{total:,} deliveries on {kind}, inserted in {time.monotonic() - started:.0f} s", flush=True)
        environment = installation.stack.environment
        origin = running.enter_context(serve("wsgi", environment, Path(logs)))
        bare = running.enter_context(serve("benchmarks.bare_wsgi", environment, Path(logs)))
        cookie = sign_in(origin)
        requests = {name: Request(origin, path, cookie) for name, path in _list_paths(dataset).items()}
        requests |= {f"{name}, unchanged": _as_refresh(requests[name]) for name in LISTS}
        references = {
            BARE: Request(bare, "/bare/1"),
            BARE_LIST: Request(bare, f"/bare/list/{dataset.hundred}"),
            BARE_HISTORY: Request(bare, f"/bare/history/{dataset.hundred}"),
        }
        results = _measure_rates(installation, load, references | requests, seconds)
        # A new test in each round: when its worker may be lost, a poll looks for that too.
        rounds = []
        for destination_id in range(dataset.light, dataset.light + ROUNDS):
            begin_test(installation, destination_id)
            pending = Request(origin, f"/w/{dataset.hundred}/destinations/{destination_id}/status", cookie)
            time.sleep(WAIT_AGE.total_seconds())  # from then on, its requests do not wait
            assert b"hx-get" in fetch(pending), "the test is not Pending"
            # The reference is measured again: the machine may be slower by now.
            beside = {PENDING: pending, BARE_BESIDE: references[BARE]}
            rounds.append(_measure_rates(installation, load, beside, seconds, rounds=1))
        return results | {name: _take_median([one[name] for one in rounds]) for name in (BARE_BESIDE, PENDING)}


def _take_median(rounds: Sequence[PageResult]) -> PageResult:
    return sorted(rounds, key=lambda one: one.rate)[len(rounds) // 2]


def _list_paths(dataset: Dataset) -> dict[str, str]:
    here, there = f"/w/{dataset.hundred}", f"/w/{dataset.thousand}"
    return {
        "page of 100 destinations": f"{here}/destinations",
        "page of 1,000 destinations": f"{there}/destinations",
        "status, few tests": f"{here}/destinations/{dataset.light}/status",
        "status, many tests": f"{here}/destinations/{dataset.heavy}/status",
        HISTORY: f"{here}/history",
        "history of a destination": f"{here}/history?destination={dataset.heavy}",
        "history, failed": f"{here}/history?status=failed",
        "history, one code": f"{here}/history?code=auth_failed",
        "history, failed tests to Slack": f"{here}/history?kind=test&channel=slack&status=failed",
    }


def _as_refresh(request: Request) -> Request:
    """Return the request of an open page that shows the newest state."""
    found = re.search(rb'data-version="(\w+)"', fetch(replace(request, version="")))
    assert found, "the page has no version"
    return replace(request, version=found[1].decode())


def _renew(request: Request) -> Request:
    """Return the request with the page's newest version, if it has one: a page changes with the ages that it shows."""
    return _as_refresh(request) if request.version else request


def _measure_rates(
    installation: Installation,
    load: LoadGenerator,
    requests: Mapping[str, Request],
    seconds: float,
    rounds: int = ROUNDS,
) -> dict[str, PageResult]:
    rates = [
        {name: load.measure_rate(_renew(request), seconds) for name, request in requests.items()} for _ in range(rounds)
    ]
    requests = {name: _renew(request) for name, request in requests.items()}
    return {
        name: PageResult(
            median(one[name] for one in rates),
            len(fetch(request)),
            _count_queries(installation, request) if request.cookie else 1,
        )
        for name, request in requests.items()
    }


def _count_queries(installation: Installation, request: Request) -> int:
    statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with installation.app.app_context():
        engine = db.engine
    visitor = installation.app.test_client(use_cookies=False)
    headers = {"Cookie": request.cookie} | ({"If-None-Match": f'W/"{request.version}"'} if request.version else {})
    visitor.get(request.path, headers=headers)  # so that this process has drawn the rows, like those that are measured
    event.listen(engine, "before_cursor_execute", record)
    assert visitor.get(request.path, headers=headers).status_code == (304 if request.version else 200)
    event.remove(engine, "before_cursor_execute", record)
    return len(statements)


def sign_in(origin: str) -> str:
    """Sign in and return the Cookie header."""
    cookies = Session(origin).sign_in(EMAIL, PASSWORD).http.cookies
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)


def begin_test(installation: Installation, destination_id: int) -> None:
    """Request a test and claim it, as if a worker were sending it."""
    delivery_id = installation.request_test(destination_id)
    with installation.app.app_context():
        claim = {"attempt_started_at": datetime.now(UTC), "attempt_count": 1}
        db.session.execute(update(AlertDelivery).where(AlertDelivery.id == delivery_id).values(claim))
        db.session.commit()
