"""Run the benchmarks: `python -m benchmarks [--full] [NAME ...]`."""

import argparse

from benchmarks import many_at_once, pages
from benchmarks.report import Table, publish

BENCHMARKS = {"many_at_once": many_at_once.measure, "pages": pages.measure}


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
        found = BENCHMARKS[name](asked.full)
        for table in [found] if isinstance(found, Table) else found:
            publish(table)


main()
