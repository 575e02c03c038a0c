"""The package: built, installed into an empty environment, and run from a folder outside the project."""

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

from benchmarks.installation.processes import ROOT, TIME_LIMIT, free_port, wait_until
from benchmarks.installation.servers import QueueServer
from webapp import __version__
from webapp.demo.supervisor.processes import start

pytestmark = pytest.mark.slow

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "webapp", "migrations", "static", "templates")
# What docs/deploy.md adds to gunicorn's command line, because the package is not in gunicorn's working directory.
CONFIG = ("--config", "python:webapp.web_server.gunicorn")
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


@dataclass(frozen=True)
class Installed:
    """An environment with the package, a folder outside the project, and the settings."""

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
            timeout=TIME_LIMIT,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources, because a build leaves files beside them."""
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
    """The wheel in its own environment, which uses the dependencies of the environment that runs the tests."""
    home, elsewhere = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere")
    uv = shutil.which("uv")
    venv.create(home)
    python = str(home / "bin" / "python")
    # With our own pip: to put one into the environment takes four times as long as the installation.
    pip = (
        [uv, "pip", "install", "--python", python]
        if uv
        else [sys.executable, "-m", "pip", "--python", python, "install"]
    )
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], capture_output=True, check=True)
    purelib = sysconfig.get_path("purelib", vars={"base": str(home)})
    (Path(purelib) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    settings = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "a key for tests, long enough to sign with",
        "ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": f"sqlite:///{elsewhere}/alertcheck.sqlite",
        "REDIS_URL": queue_server.url,
    }
    return Installed(home / "bin", elsewhere, settings)


@pytest.fixture(scope="module")
def address(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address at which gunicorn serves the installed application with a migrated database."""
    assert installed.run("alertcheck", "db", "upgrade").returncode == 0
    address = f"127.0.0.1:{free_port()}"
    command = [str(installed.programs / "python"), "-m", "gunicorn", *CONFIG, "webapp.wsgi:app", "--bind", address]
    log = tmp_path_factory.mktemp("logs") / "web.log"
    web = start(
        "web",
        command,
        log=log,
        environment=installed.settings,
        directory=installed.elsewhere,
    )
    wait_until(lambda: "web process started" in log.read_text() or web.exit_code() is not None)
    yield f"http://{address}"
    web.stop()


def test_pyproject_names_every_package() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "webapp").rglob("*.py")}

    assert {name for name in named if not name.startswith("webapp._assets.")} == folders


def test_the_wheel_holds_exactly_the_code_and_its_assets(wheel: Path) -> None:
    files = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    code = {str(file.relative_to(ROOT)) for file in (ROOT / "webapp").rglob("*.py")}
    assets = {
        f"webapp/_assets/{file.relative_to(ROOT)}"
        for folder in ("migrations", "static", "templates")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert files == code | assets


def test_the_installed_package_is_imported(installed: Installed) -> None:
    result = installed.run("python", "-c", "import webapp; print(webapp.__file__)")

    assert Path(result.stdout.strip()).is_relative_to(installed.programs.parent)


def test_help_lists_the_commands(installed: Installed) -> None:
    result = installed.run("alertcheck", "--help")

    assert (result.returncode, result.stderr) == (0, "")
    assert {"worker", "add-workspace", "db", "version"} <= set(result.stdout.split())


def test_the_version_is_that_of_the_code_and_needs_no_settings(installed: Installed, wheel: Path) -> None:
    result = installed.run("alertcheck", "version", SECRET_KEY="")

    assert (result.returncode, result.stdout) == (0, f"{__version__}\n")
    assert wheel.name.startswith(f"alertcheck-{__version__}-")


def test_a_missing_setting_is_reported_without_a_traceback(installed: Installed) -> None:
    result = installed.run("alertcheck", "db", "upgrade", SECRET_KEY="")

    assert result.returncode == 1
    assert result.stderr.startswith("Alertcheck cannot start:\nSECRET_KEY is not set.")
    assert result.stderr.count("\n") == 2


@pytest.mark.parametrize("path", ["/healthz", "/sign-in", "/static/app.css", "/static/vendor/pico-2.1.1.min.css"])
def test_the_pages_are_served(address: str, path: str) -> None:
    assert requests.get(address + path, timeout=TIME_LIMIT).status_code == 200
