"""Starts a process without garbage collections, and lets forked processes share what it has loaded."""

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


def share_with_forks() -> None:
    """Let processes that are forked from here on share what there is: no collection looks through it any more."""
    gc.collect()
    gc.freeze()
