"""docs/deploy.md: every command, variable and page that it names exists."""

import re

from flask import Flask

from benchmarks.installation.processes import ROOT
from tests.containers import read_command, read_example

GUIDE = (ROOT / "docs" / "deploy.md").read_text()
UNITS = re.findall(r"^ExecStart=/opt/alertcheck/\.venv/bin/(.+)$", GUIDE, re.MULTILINE)


def test_the_units_run_the_commands_of_the_containers() -> None:
    assert [unit.split() for unit in UNITS] == [read_command("web"), read_command("worker")]


def test_every_command_exists(app: Flask) -> None:
    assert set(re.findall(r"flask --app wsgi ([a-z-]+)", GUIDE)) <= set(app.cli.commands)


def test_every_variable_is_in_the_example() -> None:
    assert set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", GUIDE)) <= set(read_example())


def test_every_document_it_names_exists() -> None:
    assert [name for name in re.findall(r"`(docs/[\w/.-]+)`", GUIDE) if not list(ROOT.glob(f"{name}*"))] == []
