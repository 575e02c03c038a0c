"""Starts a process without garbage collection, which would look through all imported modules again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause garbage collection, and let later collections skip everything that was loaded until the end of the pause.

    That lasts as long as the process, and forked processes share its memory as long as none writes to it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
