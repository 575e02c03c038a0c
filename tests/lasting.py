"""A test that lasts until its run is ended. `tests/test_runs.py` starts it; its name keeps it from any other run."""

import os
import time
from pathlib import Path

from benchmarks.installation.servers import PostgresServer


def test_lasts(environment: dict[str, str], postgres: PostgresServer, database_url: str, tmp_path: Path) -> None:
    Path(os.environ["STARTED"]).write_text(str(tmp_path))
    time.sleep(60)
