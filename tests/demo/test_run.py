"""`make run`: the runner as a process, with the real application."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import psutil
import pytest
import requests

from webapp.database.outage_reasons import Reason
from webapp.demo.supervisor.options import PROJECT, open_socket
from webapp.demo.supervisor.ports import choose_ports
from webapp.demo.supervisor.queue_server import QueueServer, start_queue_server

SECONDS = 300  # a demo starts in a few seconds, and on a machine that is busy with other tests in more than 60
# Files of a demo whose content stays the same.
KEPT = ("keys.env", "ports.json")
PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR")  # without the settings of the user who runs the tests


@dataclass(frozen=True)
class Run:
    """A runner with its output, data directory and port."""

    process: "subprocess.Popen[bytes]"
    screen: Path
    data: Path
    port: int

    def output(self) -> str:
        return self.screen.read_text()

    def wait_for(self, text: str) -> None:
        assert wait_until(lambda: text in self.output() or self.process.poll() is not None)
        assert text in self.output(), self.output()

    def descendants(self) -> list[psutil.Process]:
        processes: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return processes

    def find(self, name: str) -> psutil.Process:
        """Return the process that the runner started under this name."""
        return next(process for process in psutil.Process(self.process.pid).children() if process.name() == name)

    def lists(self, name: str) -> bool:
        """Return whether it runs a process that it started under this name."""
        return any(process.name() == name for process in psutil.Process(self.process.pid).children())

    def ask(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=SECONDS)

    def press_ctrl_c(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def exit_code(self) -> int:
        return self.process.wait(SECONDS)


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def have_ended(processes: list[psutil.Process]) -> bool:
    return wait_until(lambda: all(map(has_ended, processes)))


def count_rows(data: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(data / "alertcheck.sqlite")) as database:
        counts = "SELECT (SELECT count(*) FROM alert_destinations), (SELECT count(*) FROM alert_deliveries)"
        destinations, deliveries = database.execute(counts).fetchone()
        return destinations, deliveries


class Launcher:
    """Starts runners, and stops those that are still running after a test."""

    def __init__(self, directory: Path, data: str = "data") -> None:
        self.directory = directory
        self.data = directory / data
        self.port = choose_ports(directory / "port").http
        self.runs: list[Run] = []

    def start(self, **environment: str) -> Run:
        given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        own = {"PORT": str(self.port), "DATA_DIR": str(self.data), "PYTHONPATH": str(PROJECT)}
        screen = self.directory / f"screen-{len(self.runs)}"
        with screen.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "webapp.demo"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=given | own | environment,
                start_new_session=True,
            )
        run = Run(process, screen, self.data, int((own | environment)["PORT"]))
        self.runs.append(run)
        return run

    def start_ready(self, **environment: str) -> Run:
        run = self.start(**environment)
        run.wait_for("Ready: ")
        return run

    def end(self) -> None:
        for run in self.runs:
            run.process.terminate()
            run.exit_code()


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.end()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A ready demo, shared by tests that do not stop it."""
    launcher = Launcher(tmp_path_factory.mktemp("running"), data="a directory with spaces")
    yield launcher.start_ready()
    launcher.end()


@dataclass(frozen=True)
class Stopped:
    """A demo that was ready and then stopped by Ctrl-C. kept: its files; rows: how many, both before it was stopped."""

    run: Run
    kept: dict[str, str]
    rows: tuple[int, int]
    processes: list[psutil.Process]
    exit_code: int


def stop(run: Run, presses: int) -> Stopped:
    """Press Ctrl-C this often and wait for the end."""
    kept = {name: (run.data / name).read_text() for name in (*KEPT, "env")}
    rows, processes = count_rows(run.data), run.descendants()
    run.press_ctrl_c()
    for _ in range(presses - 1):
        time.sleep(0.1)
        run.press_ctrl_c()
    return Stopped(run, kept, rows, processes, run.exit_code())


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    """The first run of a demo, stopped by one Ctrl-C."""
    launcher = Launcher(tmp_path_factory.mktemp("stopped"))
    yield stop(launcher.start_ready(), presses=1)
    launcher.end()


@pytest.fixture(scope="module")
def configured_queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueServer]:
    """A queue server that the demo has not started."""
    server = start_queue_server(tmp_path_factory.mktemp("queue"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def restarted(
    stopped: Stopped, configured_queue: QueueServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stopped]:
    """The second run of the same demo, with a configured queue server, stopped by three Ctrl-C in a row."""
    (stopped.run.data / "env").write_text("SECRET_KEY=stale\n")
    launcher = Launcher(tmp_path_factory.mktemp("restarted"))
    run = launcher.start_ready(
        DATA_DIR=str(stopped.run.data), PORT=str(stopped.run.port), REDIS_URL=configured_queue.url
    )
    yield stop(replace(run, data=stopped.run.data), presses=3)
    launcher.end()


def test_ready_is_printed_once_with_the_address(running: Run) -> None:
    lines = [line for line in running.output().splitlines() if line.startswith("Ready: ")]
    assert lines == [f"Ready: http://127.0.0.1:{running.port}"]


def test_ready_means_that_a_press_would_work(running: Run) -> None:
    assert running.ask("/readyz").status_code == 200


def test_the_first_page_is_served(running: Run) -> None:
    page = running.ask("/")
    assert page.status_code == 200
    assert "text/html" in page.headers["Content-Type"]


def _send_raw(port: int, request: str) -> str:
    """Send a request as it is written here, with a blank line after it, and return the response."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize(
    "request_head",
    [
        "GET / HTTP/1.0",
        "GET / HTTP/1.0\nHost: 127.0.0.1\nConnection: close",  # proxy_pass of nginx without further settings
        "POST /demo/sign-in/admin HTTP/1.0\nHost: 127.0.0.1\nContent-Length: 0",
        "GET / HTTP/1.1\nHost: 127.0.0.1\nX-Forwarded-For: 203.0.113.7\nConnection: close",
        "GET / HTTP/1.1\nHost: 127.0.0.1\nvia: 1.1 proxy\nConnection: close",
        "GET / HTTP/1.1\nHost: demo.example.com\nConnection: close",
    ],
)
def test_a_request_that_may_come_through_a_proxy_gets_a_page_that_explains_the_refusal(
    running: Run, request_head: str
) -> None:
    response = _send_raw(running.port, request_head)

    assert response.split(" ", 2)[1] == "403"
    assert "This demo is for its own machine only" in response
    assert f"http://127.0.0.1:{running.port}" in response


def test_a_direct_request_is_answered(running: Run) -> None:
    response = _send_raw(running.port, "GET /sign-in HTTP/1.1\nHost: 127.0.0.1\nConnection: close")

    assert response.startswith("HTTP/1.1 200 ")


def test_the_pages_are_served_on_the_loopback_interface_only(running: Run) -> None:
    listening = {
        connection.laddr.ip
        for process in running.descendants()
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening == {"127.0.0.1"}


def test_every_stored_file_is_readable_by_its_owner_only(running: Run) -> None:
    files = [running.data, *running.data.rglob("*")]
    assert [file for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077 and not file.is_socket()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_forked_processes_share_no_connection(running: Run) -> None:
    running.ask("/readyz")
    children = psutil.Process(running.process.pid).children()
    own = {child.name(): _list_all_sockets(child) for child in children}
    shared = [first & second for first, second in combinations(own.values(), 2)]

    assert _list_sockets(running.process.pid) == set()
    assert list(filter(None, shared)) == []
    assert all(own.values())


def _list_all_sockets(process: psutil.Process) -> set[str]:
    """Return the sockets of a process and of its descendants."""
    return set().union(*(_list_sockets(one.pid) for one in [process, *process.children(recursive=True)]))


def _list_sockets(pid: int) -> set[str]:
    """Return the sockets of a process, by their inode: the same in two processes is one connection."""
    names = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    return {name for name in names if name.startswith("socket:")}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_runner_forks_from_its_only_thread(running: Run) -> None:
    """A lock that another thread held would stay locked in the child for ever."""
    assert psutil.Process(running.process.pid).num_threads() == 1


def test_a_killed_web_process_is_replaced(running: Run) -> None:
    (web,) = running.find("demo-web").children()
    web.kill()

    assert wait_until(lambda: web not in (now := running.find("demo-web").children()) and len(now) == 1)
    assert running.ask("/sign-in").status_code == 200


def test_an_invalid_setting_is_reported_before_anything_is_seeded(launcher: Launcher) -> None:
    run = launcher.start(ALERTCHECK_KEEP_DELIVERIES_DAYS="many")

    assert run.exit_code() == 1
    assert "Cannot run the demo: ALERTCHECK_KEEP_DELIVERIES_DAYS" in run.output()
    assert not (run.data / "alertcheck.sqlite").exists()


def test_a_shell_can_load_the_settings_of_a_running_demo(running: Run) -> None:
    script = 'set -a; . "$1"/env; set +a; exec "$2" -m webapp check-worker'
    shell = ["sh", "-c", script, "sh", str(running.data), sys.executable]

    result = subprocess.run(shell, cwd=PROJECT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (0, "A worker is alive.\n"), result.stderr


def test_a_second_runner_on_the_same_data_is_refused(running: Run) -> None:
    environment = os.environ | {"DATA_DIR": str(running.data), "PORT": str(running.port)}
    second = subprocess.run(
        [sys.executable, "-m", "webapp.demo"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert second.returncode == 1
    assert "Another demo is using" in second.stdout
    assert running.ask("/readyz").status_code == 200


def test_ctrl_c_leaves_no_process(stopped: Stopped) -> None:
    assert stopped.exit_code == 0
    assert len(stopped.processes) >= 5
    assert have_ended(stopped.processes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_start_up_leaves_no_process(launcher: Launcher, number: signal.Signals) -> None:
    run = launcher.start()
    run.wait_for("Migrating the database")
    processes = run.descendants()
    run.process.send_signal(number)
    assert run.exit_code() == 0
    assert processes
    assert have_ended(processes)
    assert "Ready" not in run.output()


def test_a_second_start_finds_the_data_of_the_first(restarted: Stopped, stopped: Stopped) -> None:
    assert "stale" not in restarted.kept["env"]
    assert [restarted.kept[name] for name in KEPT] == [stopped.kept[name] for name in KEPT]
    assert restarted.rows == stopped.rows


def test_repeated_ctrl_c_leaves_no_process(restarted: Stopped) -> None:
    assert restarted.exit_code == 0
    assert have_ended(restarted.processes)
    assert "Traceback" not in restarted.run.output()


def test_a_busy_port_is_reported_and_nothing_is_started(launcher: Launcher) -> None:
    with open_socket(launcher.port):
        run = launcher.start()
        assert run.exit_code() == 1
    assert f"Port {launcher.port} is in use" in run.output()
    assert "PORT=8000 make run" in run.output()
    assert not (run.data / "logs").exists()


def test_a_configured_queue_server_is_used_and_left_running(restarted: Stopped, configured_queue: QueueServer) -> None:
    assert "Using the queue server of REDIS_URL" in restarted.run.output()
    assert configured_queue.process.exit_code() is None


def test_a_failed_step_shows_its_output_and_stops_the_rest(launcher: Launcher, tmp_path: Path) -> None:
    run = launcher.start(DATABASE_URL=f"sqlite:///{tmp_path}/no/such/place.sqlite")
    assert run.exit_code() == 1
    assert "seed ended (exit 1)" in run.output()
    assert Reason.CANNOT_OPEN.predicate in run.output()


# The last three damage the demo that the others share, each a part of it that the next ones do not need.


def test_a_dead_worker_is_restarted(running: Run) -> None:
    worker = running.find("demo-worker")
    worker.kill()
    running.wait_for("The worker restarts in 5 s.")
    assert wait_until(lambda: running.lists("demo-worker"))
    assert running.find("demo-worker").pid != worker.pid
    assert wait_until(lambda: running.ask("/readyz").status_code == 200)


def test_a_dead_queue_server_is_reported_and_the_pages_stay_up(running: Run) -> None:
    running.find("valkey-server").kill()
    running.wait_for("The queue server stopped. Tests fail at once")
    assert running.ask("/healthz").status_code == 200
    assert wait_until(lambda: running.ask("/readyz").status_code == 503)  # its answer is kept for 2 s


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_killing_the_runner_ends_every_process(running: Run) -> None:
    processes = running.descendants()
    assert {"demo-web", "demo-receiver"} <= {process.name() for process in processes}
    running.process.kill()
    assert have_ended(processes)
