"""The version is the same everywhere it is shown."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from benchmarks.installation.processes import ROOT, run_processes, wait_until
from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp import __version__
from webapp.application import create_app
from webapp.settings import read_settings

TOKEN = "a-token-for-the-metrics"


def test_the_version_is_the_newest_of_the_changelog() -> None:
    released = re.findall(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert released[0][0] == __version__
    assert sorted(released, key=lambda release: release[1], reverse=True) == released


def test_the_package_takes_the_version_from_the_code() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "webapp.__version__"}


def test_a_command_prints_the_version(app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["version"]).output == f"{__version__}\n"


def test_every_page_ends_with_the_version(app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor]) -> None:
    footer = f"<span>Alertcheck {__version__}</span>"

    assert footer in Visitor.anonymous(app).get("/sign-in").text
    assert footer in visit(seeded.viewer).get("/w/harbor/destinations").text
    assert footer in visit(seeded.viewer).get("/w/nowhere/destinations").text


def test_the_metrics_contain_the_version(environment: dict[str, str]) -> None:
    client = create_app(read_settings(environment | {"METRICS_TOKEN": TOKEN})).test_client()

    scraped = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text

    assert f'\nalertcheck_build_info{{version="{__version__}"}} 1.0\n' in scraped


@pytest.mark.slow
def test_web_and_worker_log_the_version_once_at_startup(environment: dict[str, str], tmp_path: Path) -> None:
    with run_processes(environment, tmp_path) as stack:
        stack.start_web()
        stack.start_worker()
        wait_until(lambda: len(_read_starts(tmp_path)) >= 2)

    starts = [(line["event"], line["version"]) for line in _read_starts(tmp_path)]
    assert sorted(starts) == [("web process started", __version__), ("worker started", __version__)]


def _read_starts(logs: Path) -> list[dict[str, str]]:
    """Read the log events that contain a version."""
    lines = [line for log in logs.glob("*.log") for line in log.read_text().splitlines() if line.startswith("{")]
    return [event for event in map(json.loads, lines) if "version" in event]
