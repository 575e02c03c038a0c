"""Starts a process without garbage collections, and lets forked processes share what it has loaded."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import and set up without collections.

    Later ones leave alone what there is by then: it lasts as long as the process, and forked processes share it for as
    long as nobody writes to it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def share_with_forks() -> None:
    """Let processes that are forked from here on share what there is: no collection looks through it any more."""
    gc.collect()
    gc.freeze()
