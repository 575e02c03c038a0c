"""A test that runs until its run is stopped. Only `tests/test_runs.py` starts it: its file name is not collected."""

import os
import time
from pathlib import Path

from benchmarks.installation.servers import PostgresServer


def test_lasts(environment: dict[str, str], postgres: PostgresServer, database_url: str, tmp_path: Path) -> None:
    Path(os.environ["STARTED"]).write_text(str(tmp_path))
    time.sleep(60)
