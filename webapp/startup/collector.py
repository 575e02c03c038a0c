"""Starts a process without garbage collections, each of which would look through all that was imported so far."""

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
