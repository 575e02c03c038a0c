"""From the press to the receipt, and to the badge that a person sees: over HTTP, and in a real browser."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import requests

from benchmarks import browser, visitor
from benchmarks.installation.installation import EMAIL, PASSWORD, Installation
from benchmarks.installation.processes import Session, free_port
from benchmarks.receiver import Receiver, receiver
from benchmarks.report import Table
from benchmarks.setup import Kind, add_webhooks, install
from benchmarks.visitor import Press
from webapp.models import AlertDelivery

Row = tuple[str, *tuple[float, ...]]

DELAYS = (0.0, 0.2)
KINDS: tuple[Kind, ...] = ("postgresql", "sqlite")
THREADS = 8
"""Of the web server, as `docs/deploy.md` starts it."""

IN_BROWSER = 30
PAUSE = 0.05
"""Seconds between two presses."""

COLUMNS = (
    "visible ms",
    "p99",
    "answer ms",
    "p99",
    "claimed ms",
    "receipt ms",
    "p99",
    "recorded ms",
    "polls",
)
"""Medians since the press, and their 99th percentiles; polls: the mean."""


@dataclass(frozen=True)
class Course:
    """What became of one press, in seconds since it."""

    answered: float
    claimed: float
    received: float
    recorded: float
    visible: float
    polls: int


def measure(full: bool) -> Table:
    """Press Send test on as many destinations as there are presses, one after the other."""
    count = 500 if full else 100
    rows = [row for seconds in DELAYS for row in _measure_one(seconds, count)]
    return Table("press", "From press to visible", _tell_apart(COLUMNS), rows)


def _tell_apart(columns: Sequence[str]) -> list[str]:
    """Name each p99 after the column before it."""
    return [f"{columns[number - 1].split()[0]} p99" if name == "p99" else name for number, name in enumerate(columns)]


def _measure_one(seconds: float, count: int) -> list[Row]:
    told = f"far end of {seconds * 1000:.0f} ms"
    with TemporaryDirectory() as logs, receiver(free_port(), seconds, Path(logs)) as end:
        rows = [_summarize(f"bare requests.post, {told}", _post_bare(end, count))]
        for kind in KINDS:
            with install(kind, ALERTCHECK_TRUSTED_ORIGINS=end.origin) as installation:
                rows += _measure_installation(installation, end, count, f"{kind}, {told}")
        return rows


def _post_bare(end: Receiver, count: int) -> list[Course]:
    """Do what a script would: it knows the answer once it has read it."""
    spans: dict[str, tuple[float, float]] = {}
    for _ in range(count):
        message_id, began = uuid4().hex, time.monotonic()
        requests.post(end.origin, json={"text": "test"}, headers={"Webhook-Id": message_id}, timeout=10)
        spans[message_id] = began, time.monotonic()
    received = end.received()
    return [
        Course(ended - began, 0.0, received[message_id] - began, ended - began, ended - began, 0)
        for message_id, (began, ended) in spans.items()
    ]


def _measure_installation(installation: Installation, end: Receiver, count: int, told: str) -> list[Row]:
    web = installation.stack.start_web(threads=THREADS)
    session = web.sign_in(EMAIL, PASSWORD)
    installation.stack.start_worker()
    ids = add_webhooks(installation, end.origin, count + 1)
    warm_up = ids.pop()
    visitor.press(session, _to_page(warm_up))
    rows = [_summarize(f"HTTP, {told}", _follow(installation, end, _press_all(session, ids)))]
    chromium = browser.find_chromium()
    if chromium is None:
        print(f"Skipped: the presses in a browser, {told}. There is no Chromium.", flush=True)
        return rows
    others = add_webhooks(installation, end.origin, IN_BROWSER)
    with browser.visiting(chromium, session) as page:
        presses = {destination_id: browser.press(page, _to_page(destination_id)) for destination_id in others}
    return [*rows, _summarize(f"Chromium, {told}", _follow(installation, end, presses))]


def _press_all(session: Session, ids: Sequence[int]) -> dict[int, Press]:
    presses: dict[int, Press] = {}
    for destination_id in ids:
        presses[destination_id] = visitor.press(session, _to_page(destination_id))
        time.sleep(PAUSE)
    return presses


def _to_page(destination_id: int) -> str:
    return f"/w/harbor/destinations/{destination_id}"


def _follow(installation: Installation, end: Receiver, presses: dict[int, Press]) -> list[Course]:
    """Look up what the row and the far end say of each press."""
    ahead, received = time.time() - time.monotonic(), end.received()
    return [
        _follow_one(press, installation.newest(destination_id), received, ahead)
        for destination_id, press in presses.items()
    ]


def _follow_one(press: Press, row: AlertDelivery, received: dict[str, float], ahead: float) -> Course:
    """ahead: seconds that the clock on the wall is ahead of the monotonic one."""
    assert row.attempts, "nothing was sent"
    pressed = press.pressed
    return Course(
        press.answered - pressed,
        datetime.fromisoformat(row.attempts[0]["started_at"]).timestamp() - ahead - pressed,
        received[row.payload["message_id"]] - pressed,
        row.updated_at.timestamp() - ahead - pressed,
        press.visible - pressed,
        press.polls,
    )


def _summarize(label: str, courses: Sequence[Course]) -> Row:
    visible = [course.visible for course in courses]
    answered = [course.answered for course in courses]
    received = [course.received for course in courses]
    return (
        label,
        *_tell_both(visible),
        *_tell_both(answered),
        _to_median([course.claimed for course in courses]),
        *_tell_both(received),
        _to_median([course.recorded for course in courses]),
        statistics.fmean(course.polls for course in courses),
    )


def _tell_both(seconds: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile (the nearest rank), in milliseconds."""
    return _to_median(seconds), sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1] * 1000


def _to_median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000
