"""Runs the benchmarks: `python -m benchmarks [--full] [NAME ...]`."""

import argparse

from benchmarks import (
    batches,
    dashboards,
    growth,
    imports,
    isolation,
    memory,
    pages,
    press,
    reading,
    start,
    steps,
    throughput,
)
from benchmarks.report import publish

BENCHMARKS = {
    "steps": steps.measure,
    "throughput": throughput.measure,
    "isolation": isolation.measure,
    "press": press.measure,
    "batches": batches.measure,
    "pages": pages.measure,
    "reading": reading.measure,
    "growth": growth.measure,
    "dashboards": dashboards.measure,
    "start": start.measure,
    "memory": memory.measure,
    "imports": imports.measure,
}


def main() -> None:
    """Run the named benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--full", action="store_true", help="take more measurements, for longer")
    options = parser.parse_args()
    unknown = set(options.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    for name in options.names or BENCHMARKS:
        publish(BENCHMARKS[name](options.full))


main()
