"""The Makefile: the alertcheck command that it installs."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT
from webapp import __version__


@pytest.mark.slow
def test_the_command_runs_this_projects_code_from_any_folder(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    make = ["make", "command", f"VENV={environment}", f"PYTHON={sys.executable}"]
    subprocess.run(make, cwd=ROOT, capture_output=True, check=True)
    purelib = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (purelib / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (tmp_path / "webapp").mkdir()  # another package of the same name
    (tmp_path / "webapp" / "__init__.py").write_text("raise SystemExit('not this one')")

    command = [str(environment / "bin" / "alertcheck"), "version"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (0, f"{__version__}\n"), result.stderr
