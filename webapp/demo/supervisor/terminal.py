"""What `make run` prints: short lines, on a terminal that may go away in the middle."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def say(text: str, end: str = "\n") -> None:
    """Print at once; a terminal that was closed must not keep us from stopping what we started."""
    with suppress(OSError):
        print(text, end=end, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Show a step while it runs, and the seconds it took when it is done."""
    say(f"  {name:<34}", end="")
    begun = time.monotonic()
    try:
        yield
    except BaseException:
        say("")
        raise
    say(f"{time.monotonic() - begun:5.1f} s")
