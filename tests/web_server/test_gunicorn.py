"""gunicorn's settings: every way to start a web server has them, and they suit proxies."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter

from benchmarks.installation.processes import ROOT
from tests.containers import read_command
from webapp.database.request_slots import MAX_REQUESTS
from webapp.demo.supervisor import stack
from webapp.demo.supervisor.options import DemoOptions
from webapp.demo.supervisor.shutdown_request import ShutdownRequest

# Seconds. The longest time for which a proxy of docs/proxies.md keeps an idle connection: Google Cloud's.
LONGEST_IDLE = 600

ReadConfig = Callable[[Sequence[str], Path], Any]


@pytest.fixture
def read_config(monkeypatch: pytest.MonkeyPatch) -> ReadConfig:
    """Read the settings with which a command would run gunicorn in a folder."""

    def read(command: Sequence[str], folder: Path) -> Any:
        words = list(command)
        monkeypatch.setattr(sys, "argv", words[words.index("gunicorn") :])
        monkeypatch.syspath_prepend(str(ROOT))
        monkeypatch.chdir(folder)
        return WSGIApplication("%(prog)s [OPTIONS]", prog="gunicorn").cfg

    monkeypatch.delenv("GUNICORN_CMD_ARGS", raising=False)
    return read


def _demo_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    started: list[list[str]] = []
    monkeypatch.setattr(stack, "start_fork", lambda _name, command, **_options: started.append(command))
    stack.Stack(DemoOptions(8123, tmp_path), ShutdownRequest())._start_web()
    return started[0]


def _installed_command() -> list[str]:
    """Return the command for an installed package, which docs/deploy.md describes."""
    guide = (ROOT / "docs" / "deploy.md").read_text()
    (words,) = [words for words in guide.split("`") if words.startswith("gunicorn --config")]
    return words.split()


def _check(config: Any) -> None:
    assert config.keepalive > LONGEST_IDLE
    assert config.threads > MAX_REQUESTS
    assert config.control_socket_disable
    assert config.forwarder_headers == []
    assert config.worker_tmp_dir == ("/dev/shm" if Path("/dev/shm").is_dir() else None)


@pytest.mark.parametrize("command", [read_command("web"), ["gunicorn", "wsgi:app"]])
def test_a_web_server_in_the_project_folder_has_the_settings(read_config: ReadConfig, command: list[str]) -> None:
    config = read_config(command, ROOT)

    _check(config)
    assert config.graceful_timeout == 20


def test_a_web_server_of_the_installed_package_has_the_settings(read_config: ReadConfig, tmp_path: Path) -> None:
    config = read_config(_installed_command(), tmp_path)

    _check(config)
    assert config.graceful_timeout == 20


def test_the_demo_has_the_settings_and_stops_sooner(
    read_config: ReadConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read_config(_demo_command(tmp_path, monkeypatch), ROOT)

    _check(config)
    assert config.graceful_timeout == 4


def test_options_of_the_command_line_and_the_environment_take_priority(
    read_config: ReadConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--bind=[::1]:8000 --keep-alive=30")

    config = read_config(["gunicorn", "wsgi:app", "--threads", "12"], ROOT)

    assert (config.threads, config.keepalive, config.address) == (12, 30, [("::1", 8000)])


def _start(options: str) -> subprocess.CompletedProcess[str]:
    """Run gunicorn's parent process until it would start the others."""
    code = (
        "import sys; from gunicorn.arbiter import Arbiter; from gunicorn.app.wsgiapp import WSGIApplication;"
        "sys.argv = ['gunicorn', 'wsgi:app']; Arbiter(WSGIApplication()).start(); print('listens')"
    )
    environment = {"PATH": os.environ["PATH"], "GUNICORN_CMD_ARGS": f"--bind=127.0.0.1:0 {options}"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_web_server_without_a_process_does_not_start() -> None:
    result = _start("--workers=0")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith("WEB_CONCURRENCY has to be 1 or more: without a process, nobody gets a response.\n")


@pytest.mark.parametrize(("count", "is_warned"), [(MAX_REQUESTS, True), (MAX_REQUESTS + 1, False)])
def test_a_web_server_with_few_threads_says_how_many_it_needs(count: int, is_warned: bool) -> None:
    result = _start(f"--threads={count}")

    assert result.stdout == "listens\n"
    assert ("Alertcheck needs 8 threads or more: " in result.stderr) is is_warned


@pytest.mark.parametrize("is_preloaded", [False, True])
def test_a_new_process_imports_the_package_anew_unless_it_is_preloaded(is_preloaded: bool) -> None:
    code = (
        "import sys; from types import SimpleNamespace as A; from webapp.web_server import gunicorn;"
        f"gunicorn.post_fork(A(cfg=A(preload_app={is_preloaded})), None);"
        "print(any(name.startswith('webapp') for name in sys.modules))"
    )

    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert result.stdout == f"{is_preloaded}\n"


def test_the_settings_import_nothing_of_the_application() -> None:
    code = "import sys, webapp.web_server.gunicorn; print(sorted(name for name in sys.modules if 'webapp' in name))"

    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert result.stdout == "['webapp', 'webapp.web_server', 'webapp.web_server.gunicorn']\n"


@pytest.mark.slow
def test_a_web_server_with_a_wrong_setting_stops_and_names_it() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "s" * 32,
        "ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "postgresql://alertcheck:pa/ss@127.0.0.1/alertcheck",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
    }

    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", "127.0.0.1:0", "--workers", "2"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    # 1 if gunicorn is interrupted by the end of its other process.
    assert result.returncode in (Arbiter.APP_LOAD_ERROR, 1)
    assert "Alertcheck cannot start:\nDATABASE_URL cannot be read." in result.stderr
    assert "pa/ss" not in result.stderr
