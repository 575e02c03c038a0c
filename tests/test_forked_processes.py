"""A forked process behaves as one that was started anew."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT, wait_until
from tests import forked_processes
from tests.forked_processes import start_fork
from webapp.demo.supervisor.processes import Child, session_members

SHOW = "import os, sys; print(sorted(os.environ), os.getsid(0) == os.getpid(), 'rq' in sys.modules, os.getcwd())"


def _run(tmp_path: Path, statement: str) -> Child:
    environment = {"OWN": "1", "PYTHONPATH": ""}
    return start_fork("fork", ["timeit", "-n1", "-r1", statement], log=tmp_path / "log", environment=environment)


def test_it_has_its_own_environment_session_and_log_and_no_module_that_reads_the_environment(tmp_path: Path) -> None:
    child = _run(tmp_path, SHOW)

    assert child.process.wait(timeout=60) == 0
    assert child.output()[0] == f"['OWN', 'PYTHONPATH'] True False {ROOT}"


def test_its_exit_code_is_known(tmp_path: Path) -> None:
    assert _run(tmp_path, "raise ValueError").process.wait(timeout=60) == 1


def test_it_can_be_killed_and_leaves_nothing(tmp_path: Path) -> None:
    child = _run(tmp_path, "import time; time.sleep(60)")
    assert child.exit_code() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.process.wait(timeout=0.1)

    child.kill()

    assert child.exit_code() == -signal.SIGKILL
    assert session_members(child.pid) == []


START_AND_DIE = """
import os, pathlib, sys
from tests.forked_processes import start_fork
print(start_fork("fork", ["timeit", "import time; time.sleep(60)"], log=pathlib.Path(sys.argv[1]), environment={}).pid)
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_it_ends_when_the_process_that_asked_for_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START_AND_DIE, str(tmp_path / "log")]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=120)

    assert ended.returncode == -signal.SIGKILL
    wait_until(lambda: session_members(int(ended.stdout)) == [])


def test_threads_that_need_the_server_at_once_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    @cache
    def start_slowly() -> object:
        time.sleep(0.2)
        return object()

    monkeypatch.setattr(forked_processes, "_start_server", start_slowly)
    with ThreadPoolExecutor(2) as threads:
        servers = list(threads.map(lambda _: forked_processes.fork_server(), range(2)))

    assert servers[0] is servers[1]
