"""Runs the commands of containers without a container engine, as the Dockerfile and compose.yaml describe them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.installation.processes import ROOT
from benchmarks.installation.servers import ServiceMissing
from webapp.demo.supervisor.processes import Child, start

OURS = ("migrate", "web", "worker")

# `${NAME}` or `${NAME:-default}`, the innermost first.
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^${}]*))?\}")

# What an interpreter is writing while it compiles a module: such a file may be renamed before it is copied.
UNFINISHED = shutil.ignore_patterns("*.pyc.*")

# Makes a container read-only: nothing but its /tmp (here TMPDIR) is writable.
MAKE_READ_ONLY = """
mount --bind "$TMPDIR" "$TMPDIR"
mount --bind "$PWD" "$PWD"
mount -o remount,bind,ro "$PWD"
mount -o remount,bind,ro /
cd "$PWD"
exec "$@"
"""


def read_services() -> dict[str, Any]:
    """Read the services of compose.yaml with anchors resolved and variables unresolved."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return services


def read_dockerfile() -> list[tuple[str, str]]:
    """Read the Dockerfile's instructions as pairs of name and arguments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line.strip()]


def words_of(instruction: str) -> list[str]:
    """Return the arguments of every instruction with this name."""
    return [words for name, words in read_dockerfile() if name == instruction]


def read_copied() -> list[str]:
    """Return the files and folders that the image contains."""
    return [words.split()[0] for words in words_of("COPY")]


def read_default_command() -> list[str]:
    """Return the command of the image."""
    (words,) = words_of("CMD")
    return list(yaml.safe_load(words))


def read_command(service: str) -> list[str]:
    """Return the command of one of our containers: its own, or the image's by default."""
    return list(read_services()[service].get("command") or read_default_command())


def read_example() -> dict[str, str]:
    """Read .env.example as an .env file."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read_settings_table() -> list[list[str]]:
    """Read the rows of the tables in docs/settings.md: the variable without backquotes, then the other cells."""
    rows = re.findall(r"^\| `([A-Z_]+)` \|(.*)\|$", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    return [[variable, *(cell.strip() for cell in cells.split("|"))] for variable, cells in rows]


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Replace the variables in a value of compose.yaml."""
    while found := VARIABLE.search(text):
        text = text.replace(found[0], variables.get(found[1]) or found[2] or "")
    return text


def build_image(directory: Path) -> Path:
    """Build the image's files as the Dockerfile does. The packages are those of the running interpreter.

    What this interpreter has compiled already is copied too, so that it is not compiled again.
    """
    image = directory / "app"
    image.mkdir(parents=True)
    for name in read_copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, image / name, ignore=UNFINISHED)
        else:
            shutil.copy(ROOT / name, image / name)
    for words in words_of("RUN"):
        if words.startswith("python "):
            subprocess.run([sys.executable, *words.split()[1:]], cwd=image, check=True)
    return image


@dataclass(frozen=True)
class Container:
    """What a container runs.

    environment: its own variables, with those of the settings unresolved.
    check: the command that tells whether it is healthy; empty if none does.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    check: Sequence[str]


def read_service(service: str) -> Container:
    """Read one of our services of compose.yaml."""
    facts = read_services()[service]
    kind, *check = facts.get("healthcheck", {}).get("test", ["CMD"])
    assert kind == "CMD"
    return Container(read_command(service), facts["environment"], check)


@dataclass(frozen=True)
class Machine:
    """A machine with the image, a /tmp and an .env file.

    settings: the content of the .env file. port: the loopback port of its web server.
    read: reads what the container of a service runs.
    """

    image: Path
    tmp: Path
    logs: Path
    settings: Mapping[str, str]
    port: int
    read: Callable[[str], Container]

    def start(self, service: str) -> Child:
        """Start the command of a service's container."""
        command, log = self._contain(self.read(service).command), self.logs / f"{service}.log"
        return start(service, command, log=log, environment=self._read_environment(service), directory=self.image)

    def is_healthy(self, service: str) -> bool:
        """Run the health check of a service as the engine would, inside its container."""
        return self.run(service, self.read(service).check).returncode == 0

    def run(self, service: str, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run a command inside the container of a service."""
        return subprocess.run(
            self._contain(command),
            env=self._read_environment(service),
            cwd=self.image,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _contain(self, command: Sequence[str]) -> list[str]:
        user, group = words_of("USER")[0].split(":")
        unprivileged = ["unshare", "--user", f"--map-user={user}", f"--map-group={group}", "setpriv", "--no-new-privs"]
        read_only = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", MAKE_READ_ONLY, "sh"]
        return [*read_only, *unprivileged, *command]

    def _read_environment(self, service: str) -> dict[str, str]:
        """Return the variables of a container, without those of this process."""
        image: dict[str, str] = dict(pair.split("=", 1) for words in words_of("ENV") for pair in words.split())
        own = self.read(service).environment
        return (
            image
            | dict(self.settings)
            | {name: interpolate(value, self.settings) for name, value in own.items()}
            | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": "/", "TMPDIR": str(self.tmp)}
            | {
                "PORT": str(self.port),
                "GUNICORN_CMD_ARGS": f"--bind=127.0.0.1:{self.port}",
            }  # loopback only, not every interface
        )


def set_up_machine(
    image: Path,
    directory: Path,
    settings: Mapping[str, str],
    port: int,
    read: Callable[[str], Container] = read_service,
) -> Machine:
    """Create a machine in a directory. Raises `ServiceMissing` where a container cannot be imitated."""
    machine = Machine(image, directory / "tmp", directory / "logs", read_example() | dict(settings), port, read)
    machine.tmp.mkdir(parents=True)
    try:
        tried = machine.run("migrate", ["true"])
    except FileNotFoundError as missing:
        raise ServiceMissing(f"a container cannot be imitated here: {missing.filename} is not installed") from None
    if tried.returncode != 0:
        raise ServiceMissing(f"a container cannot be imitated here: {tried.stderr.strip()}")
    return machine
