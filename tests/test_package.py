"""The package: built, installed into an empty environment, and run from a folder that knows nothing of the project."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet

from benchmarks.installation.processes import ROOT, free_port, wait_until
from benchmarks.installation.servers import QueueServer
from webapp import __version__
from webapp.demo.supervisor.processes import start

pytestmark = pytest.mark.slow

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "webapp", "migrations", "static", "templates")
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


@dataclass(frozen=True)
class Installed:
    """An environment with the package in it, a folder elsewhere, and the operator's settings."""

    programs: Path
    elsewhere: Path
    settings: dict[str, str]

    def run(self, program: str, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run an installed program in the other folder."""
        return subprocess.run(
            [str(self.programs / program), *words],
            cwd=self.elsewhere,
            env=self.settings | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as `pip install .` builds it, from a copy of the sources: a build leaves its traces beside them."""
    sources, built = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("built")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name)
        else:
            shutil.copy(ROOT / name, sources / name)
    subprocess.run([sys.executable, "-c", BUILD, str(built)], cwd=sources, capture_output=True, check=True)
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, queue_server: QueueServer, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own, which borrows the packages it depends on from the one that runs us."""
    home, elsewhere = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere")
    uv = shutil.which("uv")
    venv.create(home, with_pip=uv is None)
    python = home / "bin" / "python"
    install = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    subprocess.run([*install, "--no-index", "--no-deps", str(wheel)], capture_output=True, check=True)
    purelib = sysconfig.get_path("purelib", vars={"base": str(home)})
    (Path(purelib) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    settings = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "a key for tests, long enough to sign with",
        "CONFIG_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": f"sqlite:///{elsewhere}/alertcheck.sqlite",
        "REDIS_URL": queue_server.url,
    }
    return Installed(home / "bin", elsewhere, settings)


@pytest.fixture(scope="module")
def address(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where gunicorn serves the installed application, its database migrated."""
    assert installed.run("alertcheck", "db", "upgrade").returncode == 0
    address = f"127.0.0.1:{free_port()}"
    command = [str(installed.programs / "python"), "-m", "gunicorn", "webapp.wsgi:app", "--bind", address]
    log = tmp_path_factory.mktemp("logs") / "web.log"
    web = start(
        "web",
        [*command, "--no-control-socket"],
        log=log,
        environment=installed.settings,
        directory=installed.elsewhere,
    )
    wait_until(lambda: "web process started" in log.read_text() or web.exit_code() is not None)
    yield f"http://{address}"
    web.stop()


def test_every_package_of_the_code_is_named() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "webapp").rglob("*.py")}

    assert {name for name in named if not name.startswith("webapp._assets.")} == folders


def test_the_wheel_holds_the_code_and_what_belongs_to_it_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    code = {str(file.relative_to(ROOT)) for file in (ROOT / "webapp").rglob("*.py")}
    assets = {
        f"webapp/_assets/{file.relative_to(ROOT)}"
        for folder in ("migrations", "static", "templates")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == code | assets


def test_what_runs_is_the_installed_package(installed: Installed) -> None:
    told = installed.run("python", "-c", "import webapp; print(webapp.__file__)")

    assert Path(told.stdout.strip()).is_relative_to(installed.programs.parent)


def test_help_names_the_commands(installed: Installed) -> None:
    told = installed.run("alertcheck", "--help")

    assert (told.returncode, told.stderr) == (0, "")
    assert {"worker", "add-workspace", "db", "version"} <= set(told.stdout.split())


def test_the_version_is_that_of_the_code(installed: Installed, wheel: Path) -> None:
    assert installed.run("alertcheck", "version").stdout == f"{__version__}\n"
    assert wheel.name.startswith(f"alertcheck-{__version__}-")


@pytest.mark.parametrize("command", [("check-worker",), ("worker",), ("db", "upgrade"), ("routes",)])
def test_a_missing_setting_is_one_sentence(installed: Installed, command: tuple[str, ...]) -> None:
    told = installed.run("alertcheck", *command, SECRET_KEY="")

    assert told.returncode == 1
    assert told.stderr.startswith("Alertcheck cannot start: SECRET_KEY is not set.")
    assert told.stderr.count("\n") == 1


def test_without_settings_help_and_version_answer(installed: Installed) -> None:
    assert "worker" in installed.run("alertcheck", "--help", SECRET_KEY="").stdout
    assert installed.run("alertcheck", "version", SECRET_KEY="").returncode == 0


@pytest.mark.parametrize("path", ["/healthz", "/sign-in", "/static/app.css", "/static/vendor/pico-2.1.1.min.css"])
def test_the_pages_are_served(address: str, path: str) -> None:
    assert requests.get(address + path, timeout=20).status_code == 200
