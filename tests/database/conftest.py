"""The client of PostgreSQL without the settings of whoever runs the tests."""

from pathlib import Path

import pytest


@pytest.fixture
def no_settings_of_the_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No file or variable of this machine's user tells the client what to trust."""
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGPASSWORD", "PGPASSFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
