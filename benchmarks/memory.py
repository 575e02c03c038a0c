"""Measures the memory of each of the demo's processes, idle and under concurrent presses."""

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

# What a process is, by its name.
PARTS = {
    "demo-receiver": "demo receiver",
    "demo-web": "web server",
    "demo-worker": "worker",
    "valkey-server": "queue server",
}

CONCURRENT_PRESSES = 8

# Seconds after which a newly started process is idle.
SETTLE_TIME = 30.0

LIMITS = {"ALERTCHECK_PRESSES_PER_MEMBER": "1000000", "ALERTCHECK_PRESSES_PER_WORKSPACE": "1000000"}


def measure(full: bool) -> Table:
    """Measure the demo before and during the presses."""
    with (
        TemporaryDirectory(prefix="bench-") as name,
        running([sys.executable, "-m", "webapp.demo"], ROOT, Path(name) / "data", LIMITS) as demo,
    ):
        time.sleep(SETTLE_TIME)
        parts = _list_parts(demo)
        idle = _measure_all(parts)
        load = _press_many(demo, parts, 500 if full else 100)
        rows = [(part, idle[part], load[part]) for part in sorted(idle, key=lambda part: -load[part])]
        rows.append(("total", sum(idle.values()), sum(load.values())))
    return Table("memory", "Memory of the demo", ("idle MiB", "under load MiB"), rows, bars=1)


def _list_parts(demo: Demo) -> dict[str, psutil.Process]:
    """Return the supervisor and the processes that it starts, each of which leads a session."""
    supervisor = psutil.Process(demo.process.pid)
    children = {PARTS.get(child.name(), child.name()): child for child in supervisor.children()}
    return {"supervisor": supervisor} | children


def _measure_all(parts: Mapping[str, psutil.Process]) -> dict[str, float]:
    return {part: measure_memory(process) for part, process in parts.items()}


def _press_many(demo: Demo, parts: Mapping[str, psutil.Process], count: int) -> dict[str, float]:
    """Press Send test on many destinations, and return the peak memory of each process in MiB."""
    session = _sign_in(demo)
    pages = [_add_webhook(demo, session, number) for number in range(count)]
    peak = _measure_all(parts)
    with ThreadPoolExecutor(CONCURRENT_PRESSES) as pool:
        presses = [pool.submit(visitor.press, session.with_origin(demo.origin), page) for page in pages]
        while not all(press.done() for press in presses):
            now = _measure_all(parts)
            peak = {part: max(peak[part], now[part]) for part in parts}
            time.sleep(0.2)
        for press in presses:
            press.result()
    return peak


def _sign_in(demo: Demo) -> Session:
    session = Session(demo.origin)
    session.get("/sign-in")
    session.post("/demo/sign-in/admin")
    session.get("/w/harbor/destinations/new/webhook")
    return session


def _add_webhook(demo: Demo, session: Session, number: int) -> str:
    """Submit the form, and return the path of the new destination's page."""
    fields = {"address": demo.receiver_url("webhook/works"), "signing_secret": demo.signing_secret()}
    response = session.post("/w/harbor/destinations/new/webhook", fields | {"name": f"Number {number}"})
    return response.url.removeprefix(session.origin)
