"""Measures the time from a press to the message's arrival and to the final badge, over HTTP and in a real browser."""

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
from benchmarks.receiver import Receiver, run_receiver
from benchmarks.report import Table
from benchmarks.setup import Kind, add_webhooks, install
from benchmarks.visitor import Press
from webapp.models import AlertDelivery

Row = tuple[str, *tuple[float, ...]]

DELAYS = (0.0, 0.2)
KINDS: tuple[Kind, ...] = ("postgresql", "sqlite")

# Threads of the web server, as in `docs/deploy.md`.
THREADS = 8

# Presses in the browser, where each one takes longer. The 99th percentile of fewer would be the slowest one.
IN_BROWSER = 100

# Seconds between two presses.
PAUSE = 0.05

# Medians and 99th percentiles since the press; of polls, the mean.
COLUMNS = (
    "visible ms",
    "visible p99",
    "response ms",
    "response p99",
    "claimed ms",
    "received ms",
    "received p99",
    "recorded ms",
    "polls",
)


@dataclass(frozen=True)
class Timeline:
    """The events of one press, in seconds since the press. polls: the number of polls."""

    answered: float
    claimed: float
    received: float
    recorded: float
    visible: float
    polls: int


def measure(full: bool) -> Table:
    """Press Send test on many destinations, one after the other."""
    count = 500 if full else 100
    rows = [row for seconds in DELAYS for row in _measure_one(seconds, count)]
    return Table("press", "From press to visible", COLUMNS, rows)


def _measure_one(seconds: float, count: int) -> list[Row]:
    label = f"{seconds * 1000:.0f} ms receiver"
    with TemporaryDirectory() as logs, run_receiver(free_port(), seconds, Path(logs)) as receiver:
        rows = [_summarize(f"bare requests.post, {label}", _post_bare(receiver, count))]
        for kind in KINDS:
            with install(kind, ALERTCHECK_TRUSTED_ORIGINS=receiver.origin) as installation:
                rows += _measure_installation(installation, receiver, count, f"{kind}, {label}")
        return rows


def _post_bare(receiver: Receiver, count: int) -> list[Timeline]:
    """Post as a script would, without Alertcheck: the result is known when the response has been read."""
    spans: dict[str, tuple[float, float]] = {}
    for _ in range(count):
        message_id, started = uuid4().hex, time.monotonic()
        requests.post(receiver.origin, json={"text": "test"}, headers={"Webhook-Id": message_id}, timeout=10)
        spans[message_id] = started, time.monotonic()
    received = receiver.received()
    return [
        Timeline(finished - started, 0.0, received[message_id] - started, finished - started, finished - started, 0)
        for message_id, (started, finished) in spans.items()
    ]


def _measure_installation(installation: Installation, receiver: Receiver, count: int, label: str) -> list[Row]:
    web = installation.stack.start_web(threads=THREADS)
    session = web.sign_in(EMAIL, PASSWORD)
    installation.stack.start_worker()
    ids = add_webhooks(installation, receiver.origin, count + 1)
    warm_up = ids.pop()
    visitor.press(session, _get_path(warm_up))
    rows = [_summarize(f"HTTP, {label}", _build_timelines(installation, receiver, _press_all(session, ids)))]
    chromium = browser.find_chromium()
    if chromium is None:
        print(f"Skipped: the presses in a browser, {label}. No Chromium was found.", flush=True)
        return rows
    others = add_webhooks(installation, receiver.origin, IN_BROWSER)
    with browser.open_page(chromium, session) as page:
        presses = {destination_id: browser.press(page, _get_path(destination_id)) for destination_id in others}
    return [*rows, _summarize(f"Chromium, {label}", _build_timelines(installation, receiver, presses))]


def _press_all(session: Session, ids: Sequence[int]) -> dict[int, Press]:
    presses: dict[int, Press] = {}
    for destination_id in ids:
        presses[destination_id] = visitor.press(session, _get_path(destination_id))
        time.sleep(PAUSE)
    return presses


def _get_path(destination_id: int) -> str:
    return f"/w/harbor/destinations/{destination_id}"


def _build_timelines(installation: Installation, receiver: Receiver, presses: dict[int, Press]) -> list[Timeline]:
    """Combine each press with the times in its row and at the receiver."""
    ahead, received = time.time() - time.monotonic(), receiver.received()
    return [
        _build_timeline(press, installation.newest(destination_id), received, ahead)
        for destination_id, press in presses.items()
    ]


def _build_timeline(press: Press, row: AlertDelivery, received: dict[str, float], ahead: float) -> Timeline:
    """Combine one press with its row. ahead: the wall clock minus the monotonic clock, in seconds."""
    assert row.attempts, "nothing was sent"
    pressed = press.pressed
    return Timeline(
        press.answered - pressed,
        datetime.fromisoformat(row.attempts[0]["started_at"]).timestamp() - ahead - pressed,
        received[row.payload["message_id"]] - pressed,
        row.updated_at.timestamp() - ahead - pressed,
        press.visible - pressed,
        press.polls,
    )


def _summarize(label: str, timelines: Sequence[Timeline]) -> Row:
    visible = [timeline.visible for timeline in timelines]
    answered = [timeline.answered for timeline in timelines]
    received = [timeline.received for timeline in timelines]
    return (
        label,
        *_calculate_both(visible),
        *_calculate_both(answered),
        _calculate_median([timeline.claimed for timeline in timelines]),
        *_calculate_both(received),
        _calculate_median([timeline.recorded for timeline in timelines]),
        statistics.fmean(timeline.polls for timeline in timelines),
    )


def _calculate_both(seconds: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile (the nearest rank), in milliseconds."""
    return _calculate_median(seconds), sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1] * 1000


def _calculate_median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000
