"""The start of a web process whose settings are in a file that only commands read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT

HINT = "The file .env in this folder is read by commands, not by the web server."


def _start_without_settings(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "import webapp.wsgi"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_file_of_settings_that_was_not_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=canary\n")

    result = _start_without_settings(tmp_path)

    assert "SECRET_KEY is not set." in result.stderr
    assert HINT in result.stderr
    assert "canary" not in result.stderr


@pytest.mark.slow
def test_without_such_a_file_none_is_named(tmp_path: Path) -> None:
    result = _start_without_settings(tmp_path)

    assert "SECRET_KEY is not set." in result.stderr
    assert HINT not in result.stderr
