"""Tests that run until their run is stopped. Only tests of runs start them: the file name is not collected."""

import os
import time
from pathlib import Path

import pytest

from benchmarks.installation.servers import PostgresServer


def test_lasts(environment: dict[str, str], postgres: PostgresServer, database_url: str, tmp_path: Path) -> None:
    _last(tmp_path)


@pytest.mark.parametrize("name", ["first", "second"])
def test_lasts_without_a_server(name: str, tmp_path: Path) -> None:
    _last(tmp_path)


def _last(folder: Path) -> None:
    """Last only if no test before has."""
    started = Path(os.environ["STARTED"])
    if not started.exists():
        started.write_text(str(folder))
        time.sleep(60)
