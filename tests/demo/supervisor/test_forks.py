"""Forked child processes: each is like a new process, and ends with its parent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from webapp.demo.supervisor.options import PROJECT

SECONDS = 60

# A process that forks the module `child` and prints its id. As the supervisor, it ignores a second signal to stop, and
# holds the lock of its data.
PARENT = """
import os, signal, sys, time
from pathlib import Path
from webapp.demo.supervisor.forks import start_fork
from webapp.demo.supervisor.options import DemoOptions, claim_data
data = Path(sys.argv[1])
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: None)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with claim_data(DemoOptions(1, data)):
    environment = {"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo", "OWN": "1"}
    child = start_fork("sleeper", ["child", *sys.argv[2:]], log=data / "log", environment=environment, directory=data)
    print(child.pid, flush=True)
    if "exit" not in sys.argv:
        time.sleep(0 if "at once" in sys.argv else 60)
        child.stop()
    child.process.wait()
    print(child.exit_code(), flush=True)
"""

CHILD = """
import atexit, json, os, signal, sys, time
names = ("SIGINT", "SIGTERM", "SIGHUP")
handlers = [str(signal.getsignal(getattr(signal, name))) for name in names]
facts = {"argv": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd(), "session": os.getsid(0)}
facts |= {"handlers": handlers, "zone": time.tzname[0], "name": __name__}
facts["blocked"] = len(signal.pthread_sigmask(signal.SIG_BLOCK, []))
paths = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
facts["files"] = [os.readlink(path) for path in paths if os.path.lexists(path)]
print(json.dumps(facts), flush=True)
print("an error", file=sys.stderr)
atexit.register(print, "the end")
if "exit" in sys.argv:
    sys.exit(3)
time.sleep(60)
"""


@dataclass(frozen=True)
class Family:
    """A parent and the child that it has forked. data: the parent's directory, with the log of the child."""

    parent: "subprocess.Popen[bytes]"
    child: int
    data: Path

    def facts(self) -> dict[str, Any]:
        assert wait_until(lambda: "an error" in (self.data / "log").read_text())
        found: dict[str, Any] = json.loads((self.data / "log").read_text().splitlines()[0])
        return found


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def start_parent(directory: Path, *words: str) -> Family:
    (directory / "modules").mkdir()
    (directory / "modules" / "child.py").write_text(CHILD)
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}:{directory / 'modules'}"}
    command = [sys.executable, "-c", PARENT, str(directory), *words]
    # Unbuffered, so that `communicate` misses nothing that was read together with the first line.
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, env=environment)
    assert parent.stdout is not None
    return Family(parent, int(parent.stdout.readline()), directory)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    started = start_parent(tmp_path, "--flag")
    yield started
    started.parent.kill()
    started.parent.communicate()


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_a_fork_has_its_own_arguments_variables_directory_and_session(family: Family) -> None:
    facts = family.facts()

    assert (facts["name"], facts["argv"]) == ("__main__", ["--flag"])
    assert facts["environment"] == {"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo", "OWN": "1"}
    assert (facts["directory"], facts["session"]) == (str(family.data), family.child)
    assert facts["zone"] == "JST"


def test_a_fork_has_the_signal_handlers_of_a_new_process(family: Family) -> None:
    facts = family.facts()

    interrupt, terminate, hang_up = facts["handlers"]
    assert "default_int_handler" in interrupt
    assert (terminate, hang_up) == (str(signal.SIG_DFL), str(signal.SIG_IGN))  # ignored by the parent, as by nohup
    assert facts["blocked"] == 0


def test_a_fork_holds_no_lock_on_its_parents_data(family: Family) -> None:
    assert str(family.data / "lock") not in family.facts()["files"]


def test_a_fork_has_a_name_that_says_what_it_does(family: Family) -> None:
    family.facts()

    assert Path(f"/proc/{family.child}/comm").read_text() == "demo-sleeper\n"


def test_a_fork_ends_when_its_parent_is_killed(family: Family) -> None:
    family.facts()
    family.parent.kill()

    assert wait_until(lambda: has_ended(family.child))


def test_a_fork_that_is_stopped_at_once_does_not_miss_the_signal(tmp_path: Path) -> None:
    began = time.monotonic()
    family = start_parent(tmp_path, "at once")
    output, _ = family.parent.communicate(timeout=SECONDS)

    assert int(output) == -signal.SIGTERM
    assert time.monotonic() - began < SECONDS / 2


def test_a_fork_ends_as_a_process_does(tmp_path: Path) -> None:
    family = start_parent(tmp_path, "exit")
    output, _ = family.parent.communicate(timeout=SECONDS)

    assert int(output) == 3
    assert (tmp_path / "log").read_text().splitlines()[-1] == "the end"
