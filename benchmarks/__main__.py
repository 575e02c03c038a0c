"""Run the benchmarks: `python -m benchmarks [--full] [NAME ...]`."""

import argparse

from benchmarks import dashboards, imports, isolation, memory, pages, press, start, steps, throughput
from benchmarks.report import publish

BENCHMARKS = {
    "steps": steps.measure,
    "throughput": throughput.measure,
    "neighbours": isolation.measure,
    "press": press.measure,
    "pages": pages.measure,
    "dashboards": dashboards.measure,
    "start": start.measure,
    "memory": memory.measure,
    "imports": imports.measure,
}


def main() -> None:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--full", action="store_true", help="measure more, for longer")
    asked = parser.parse_args()
    unknown = set(asked.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    for name in asked.names or BENCHMARKS:
        publish(BENCHMARKS[name](asked.full))


main()
