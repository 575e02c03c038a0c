"""What each of the demo's processes takes, at rest and while many presses come at once."""

import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks import visitor
from benchmarks.demo import Demo, running
from benchmarks.installation.processes import ROOT, Session
from benchmarks.report import Table
from benchmarks.throughput import measure_memory

PARTS = {
    "webapp.demo.receiver.__main__": "demo receiver",
    "gunicorn": "web server",
    " worker": "worker",
    "valkey": "queue server",
}
"""What tells a process by its command."""

AT_ONCE = 8
SETTLES = 3.0
"""Seconds after which a process that has just started is at rest."""

LIMITS = {"ALERTCHECK_PRESSES_PER_MEMBER": "1000000", "ALERTCHECK_PRESSES_PER_WORKSPACE": "1000000"}


def measure(full: bool) -> Table:
    """Look at the demo before and during the presses."""
    with (
        TemporaryDirectory(prefix="bench-") as name,
        running([sys.executable, "-m", "webapp.demo"], ROOT, Path(name) / "data", LIMITS) as demo,
    ):
        time.sleep(SETTLES)
        parts = _list_parts(demo)
        rest = _measure_all(parts)
        load = _press_many(demo, parts, 500 if full else 100)
        rows = [(part, rest[part], load[part]) for part in sorted(rest, key=lambda part: -load[part])]
        rows.append(("together", sum(rest.values()), sum(load.values())))
    return Table("memory", "Memory of the demo", ("at rest MiB", "under load MiB"), rows, bars=1)


def _list_parts(demo: Demo) -> dict[str, psutil.Process]:
    """Find the processes that the demo starts, each the first of a session."""
    runner = psutil.Process(demo.process.pid)
    return {"runner": runner} | {_name(child): child for child in runner.children()}


def _name(process: psutil.Process) -> str:
    command = " ".join(process.cmdline())
    return next((part for words, part in PARTS.items() if words in command), command)


def _measure_all(parts: Mapping[str, psutil.Process]) -> dict[str, float]:
    return {part: measure_memory(process) for part, process in parts.items()}


def _press_many(demo: Demo, parts: Mapping[str, psutil.Process], count: int) -> dict[str, float]:
    """Return the most that each took."""
    session = _sign_in(demo)
    pages = [_add_webhook(demo, session, number) for number in range(count)]
    most = _measure_all(parts)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        presses = [pool.submit(visitor.press, session.twin(demo.origin), page) for page in pages]
        while not all(press.done() for press in presses):
            now = _measure_all(parts)
            most = {part: max(most[part], now[part]) for part in parts}
            time.sleep(0.2)
        for press in presses:
            press.result()
    return most


def _sign_in(demo: Demo) -> Session:
    session = Session(demo.origin)
    session.get("/sign-in")
    session.post("/demo/sign-in/admin")
    session.get("/w/harbor/destinations/new/webhook")
    return session


def _add_webhook(demo: Demo, session: Session, number: int) -> str:
    """Fill in the form, and return the new destination's page."""
    typed = {"address": demo.receiver("webhook/works"), "signing_secret": demo.signing_secret()}
    answer = session.post("/w/harbor/destinations/new/webhook", typed | {"name": f"Number {number}"})
    return answer.url.removeprefix(session.origin)
