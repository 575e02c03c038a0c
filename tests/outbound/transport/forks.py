"""Runs a check in a forked process."""

import os
import warnings
from collections.abc import Callable
from signal import SIGKILL

from benchmarks.installation.processes import wait_until


def holds_in_fork(check: Callable[[], object], seconds: float = 20) -> bool:
    """Return whether the check is true in a forked process. One that hangs is killed."""
    with warnings.catch_warnings():  # Python 3.12 warns of a fork beside threads, which is what is tested
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os._exit(0 if check() else 1)
        finally:
            os._exit(2)
    statuses: list[int] = []

    def has_ended() -> bool:
        pid, status = os.waitpid(child, os.WNOHANG)
        statuses.extend([status] if pid else [])
        return bool(pid)

    try:
        wait_until(has_ended, seconds)
    except AssertionError:
        os.kill(child, SIGKILL)
        os.waitpid(child, 0)
        return False
    return statuses == [0]
