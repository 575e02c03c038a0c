"""Freezes servers with SIGSTOP, as a hung machine or a full disk does: connections stay open, and nothing responds."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from benchmarks.installation.servers import EmbeddedPostgres, PostgresServer


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Freeze a process and its descendants inside a `with`."""
    root = psutil.Process(pid)
    root.suspend()  # first, so that it starts no further process
    processes = [root, *root.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(processes):
            if process.is_running():
                process.resume()


@contextmanager
def frozen_postgres(postgres: PostgresServer) -> Iterator[None]:
    """Freeze PostgreSQL with its connections inside a `with`. Skips the test if the server is not ours."""
    if not isinstance(postgres, EmbeddedPostgres):
        pytest.skip("the server of TEST_DATABASE_URL is not ours to freeze")
    with frozen(postgres.process.pid):
        yield
