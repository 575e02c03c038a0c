"""The units in deploy/systemd: valid, with few rights, and running what the containers run."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT
from tests.containers import read_command, read_services

FOLDER = ROOT / "deploy" / "systemd"
HOME = "/opt/alertcheck"
UNITS = ["web", "worker"]

# What both units must have in [Service], beside how they start and stop.
SANDBOX = {
    "CapabilityBoundingSet": "",
    "DynamicUser": "yes",
    "LockPersonality": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProcSubset": "pid",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RemoveIPC": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "SystemCallFilter": "@system-service",
    "UMask": "0077",
}
STARTS = {
    "WorkingDirectory": HOME,
    "EnvironmentFile": "/etc/alertcheck.env",
    "KillMode": "mixed",
    "Restart": "always",
    "RestartSec": "2",
}
OWN = {"web": {"ExecStart", "ExecReload", "TimeoutStopSec"}, "worker": {"ExecStart", "TimeoutStopSec"}}


def _path(unit: str) -> Path:
    return FOLDER / f"alertcheck-{unit}.service"


def _read(unit: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(_path(unit).read_text())
    return parser


def _service(unit: str) -> dict[str, str]:
    return dict(_read(unit)["Service"])


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_the_command_of_its_container(unit: str) -> None:
    program, *words = _service(unit)["ExecStart"].split()

    assert [program.removeprefix(f"{HOME}/.venv/bin/"), *words] == read_command(unit)


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_has_the_time_to_stop_that_compose_gives(unit: str) -> None:
    assert f"{_service(unit)['TimeoutStopSec']}s" == read_services()[unit]["stop_grace_period"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_writes_nothing_and_has_no_rights(unit: str) -> None:
    own = {name: value for name, value in _service(unit).items() if name not in OWN[unit]}

    assert own == SANDBOX | STARTS


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_never_gives_up_on_servers_that_start_later(unit: str) -> None:
    about = _read(unit)["Unit"]

    assert about["StartLimitIntervalSec"] == "0"
    assert {"network-online.target", "postgresql.service"} <= set(about["After"].split())


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_starts_with_the_machine(unit: str) -> None:
    assert dict(_read(unit)["Install"]) == {"WantedBy": "multi-user.target"}


def _verify(file: Path) -> str:
    """Return what systemd finds wrong with a unit, if it is installed here."""
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        return ""
    done = subprocess.run([systemd, "verify", str(file)], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    file = tmp_path / _path(unit).name
    # Programs that exist here, and the folder that they are in.
    text = _path(unit).read_text().replace(f"{HOME}/.venv/bin/", f"{Path(sys.executable).parent}/")
    file.write_text(text.replace(f"WorkingDirectory={HOME}", f"WorkingDirectory={tmp_path}"))

    assert _verify(file) == ""
