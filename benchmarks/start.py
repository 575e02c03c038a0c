"""Measures the time from a bare clone to a ready demo, the second start, and the size of the packages."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.demo import NeverReady, running
from benchmarks.installation.processes import ROOT
from benchmarks.report import Table

COLUMNS = ("seconds to Ready", "packages MiB")
WITHOUT_INSTALLING = (sys.executable, "-m", "webapp.demo")


def measure(full: bool) -> Table:
    """Start the demo in a clone of the commit checked out here. full: install the development packages too."""
    with TemporaryDirectory(prefix="bench-") as name:
        home = Path(name)
        try:
            rows = _measure_clone(home, full)
        except (NeverReady, subprocess.CalledProcessError) as reason:
            print(f"Skipped: the installation in a bare clone. It did not finish.\n{reason}", flush=True)
            first = _start(WITHOUT_INSTALLING, ROOT, home / "installed")
            again = _start(WITHOUT_INSTALLING, ROOT, home / "installed")
            rows = [("first start, packages installed", first, 0.0), ("second start", again, 0.0)]
        return Table("start", "Start and size", COLUMNS, rows)


def _measure_clone(home: Path, full: bool) -> list[tuple[str, float, float]]:
    """Measure with the caches of pip and uv in place, as on a developer's machine."""
    clone, data = home / "clone", home / "data"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    rows = [("make run in a bare clone", _start(["make", "run"], clone, data), measure_size(clone / ".venv"))]
    rows += [("second make run", _start(["make", "run"], clone, data), measure_size(clone / ".venv"))]
    if full:
        subprocess.run(["make", ".venv/.test-ready"], cwd=clone, check=True, capture_output=True)
        rows += [("with the development packages", 0.0, measure_size(clone / ".venv"))]
    return rows


def _start(command: list[str] | tuple[str, ...], checkout: Path, data: Path) -> float:
    with running(command, checkout, data, {}) as demo:
        return demo.seconds


def measure_size(directory: Path) -> float:
    """Return the disk space of a directory's files in MiB."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_blocks * 512 for path in files) / 2**20
