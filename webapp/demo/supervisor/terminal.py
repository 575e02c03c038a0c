"""Prints the short lines of `make run`, also to a terminal that closes while it runs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def print_line(text: str, end: str = "\n") -> None:
    """Print and flush. A closed terminal is ignored, so that it cannot prevent the shutdown of the processes."""
    with suppress(OSError):
        print(text, end=end, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print a step's name while it runs, and its duration in seconds when it is done."""
    print_line(f"  {name:<34}", end="")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print_line("")
        raise
    print_line(f"{time.monotonic() - started:5.1f} s")
