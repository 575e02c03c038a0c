"""Requests a second for pages and fragments as data grows."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import event, update

from benchmarks.dataset import Scene, fill
from benchmarks.installation.installation import EMAIL, PASSWORD, Installation
from benchmarks.installation.processes import Session
from benchmarks.load import Crowd, Question, ask, crowd
from benchmarks.report import Table
from benchmarks.setup import Kind, install
from benchmarks.web_server import serve
from webapp.extensions import db
from webapp.models import AlertDelivery

SIZES: Mapping[Kind, tuple[int, ...]] = {"postgresql": (10**4, 10**6), "sqlite": (10**4, 10**6)}
LARGEST = 10**7
"""Deliveries on PostgreSQL in the full run."""

ROUNDS = 3
"""Times that each page is measured, in turn with the others, so that what else the machine does meets all alike."""

BARE = "bare view"
PENDING = "status, pending"


@dataclass(frozen=True)
class Found:
    """What was found of one page. size: bytes of an answer, its head included."""

    rate: float
    size: int
    queries: int


def measure(full: bool) -> Table:
    """Fill databases, start web servers, and see how fast they answer."""
    seconds = 3.0 if full else 0.7
    rows = []
    with crowd() as visitors:
        for kind, sizes in SIZES.items():
            smallest: dict[str, Found] = {}
            for total in [*sizes, *([LARGEST] if full and kind == "postgresql" else [])]:
                found = _measure_one(kind, total, visitors, seconds)
                smallest = smallest or found
                rows += _tell(f"{kind}, {total:,} deliveries", found, smallest)
    columns = ("requests/s", "of the bare view", "cost to that at the fewest", "queries", "bytes")
    return Table("pages", "Pages as data grows", columns, rows)


def _tell(told: str, found: Mapping[str, Found], smallest: Mapping[str, Found]) -> list[tuple[str, *tuple[float, ...]]]:
    bare = found[BARE].rate
    return [
        (f"{told}: {name}", page.rate, page.rate / bare, smallest[name].rate / page.rate, page.queries, page.size)
        for name, page in found.items()
    ]


def _measure_one(kind: Kind, total: int, visitors: Crowd, seconds: float) -> dict[str, Found]:
    """Return what was found by page."""
    with install(kind) as installation, ExitStack() as running, TemporaryDirectory() as logs:
        began = time.monotonic()
        scene = fill(installation, total)
        print(f"{total:,} deliveries on {kind}, filled in {time.monotonic() - began:.0f} s", flush=True)
        environment = installation.stack.environment
        origin = running.enter_context(serve("wsgi", environment, Path(logs)))
        bare = running.enter_context(serve("benchmarks.bare_wsgi", environment, Path(logs)))
        cookie = sign_in(origin)
        questions = {name: Question(origin, path, cookie) for name, path in _list_paths(scene).items()}
        found = _measure_rates(installation, visitors, {BARE: Question(bare, "/bare/1")} | questions, seconds)
        begin_test(installation, scene.light)
        pending = Question(origin, f"/w/{scene.hundred}/destinations/{scene.light}/status", cookie)
        assert b"hx-get" in ask(pending), "it is not Pending"
        return found | _measure_rates(installation, visitors, {PENDING: pending}, seconds)


def _list_paths(scene: Scene) -> dict[str, str]:
    here, there = f"/w/{scene.hundred}", f"/w/{scene.thousand}"
    return {
        "page of 100 destinations": f"{here}/destinations",
        "page of 1,000 destinations": f"{there}/destinations",
        "status, few tests": f"{here}/destinations/{scene.light}/status",
        "status, very many tests": f"{here}/destinations/{scene.heavy}/status",
        "history": f"{here}/history",
        "history of a destination": f"{here}/history?destination={scene.heavy}",
        "history, failed": f"{here}/history?status=failed",
        "history, one code": f"{here}/history?code=auth_failed",
        "history, failed tests to Slack": f"{here}/history?kind=test&channel=slack&status=failed",
    }


def _measure_rates(
    installation: Installation, visitors: Crowd, questions: Mapping[str, Question], seconds: float
) -> dict[str, Found]:
    rates = [
        {name: visitors.measure_rate(question, seconds) for name, question in questions.items()} for _ in range(ROUNDS)
    ]
    return {
        name: Found(
            median(one[name] for one in rates),
            len(ask(question)),
            _count_queries(installation, question) if question.cookie else 1,
        )
        for name, question in questions.items()
    }


def _count_queries(installation: Installation, question: Question) -> int:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with installation.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    visitor = installation.app.test_client(use_cookies=False)
    assert visitor.get(question.path, headers={"Cookie": question.cookie}).status_code == 200
    event.remove(engine, "before_cursor_execute", note)
    return len(statements)


def sign_in(origin: str) -> str:
    """Sign in, and return the cookie."""
    cookies = Session(origin).sign_in(EMAIL, PASSWORD).http.cookies
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)


def begin_test(installation: Installation, destination_id: int) -> None:
    """Have a test under way, as if a worker had it in the air."""
    delivery_id = installation.request_test(destination_id)
    with installation.app.app_context():
        claim = {"attempt_started_at": datetime.now(UTC), "attempt_count": 1}
        db.session.execute(update(AlertDelivery).where(AlertDelivery.id == delivery_id).values(claim))
        db.session.commit()
