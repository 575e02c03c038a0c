"""What a web process logs about the database when it starts."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask

from benchmarks.installation.processes import ROOT
from webapp.application import create_app
from webapp.database.outage_reasons import Reason
from webapp.settings import read_settings
from webapp.startup.database_check import START_DELAY, log_database_problem


def _logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["reason"] for record in caplog.records if record.name == "webapp.startup.database_check"]


def _start(environment: dict[str, str], database_url: str) -> None:
    log_database_problem(create_app(read_settings(environment | {"DATABASE_URL": database_url})))


def test_a_database_that_can_be_used_is_not_mentioned(
    app: Flask, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_database_problem(app)

    assert _logged(caplog) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:///{tmp_path}/empty.sqlite", Reason.NOT_MIGRATED.predicate),
        ("sqlite:////nowhere/canary.sqlite", Reason.CANNOT_OPEN.predicate),
        ("postgresql://ann:canary@127.0.0.1:1/alerts", Reason.REFUSED.predicate),
    ],
)
def test_the_reason_why_the_database_cannot_be_used_is_logged(
    environment: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str, reason: str
) -> None:
    _start(environment, url.format(tmp_path=tmp_path))

    (logged,) = _logged(caplog)
    assert (reason in logged, "canary" in caplog.text) == (True, False)


def test_a_server_that_never_responds_delays_the_start_by_a_second(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        _start(environment, f"postgresql://ann:canary@127.0.0.1:{silent.getsockname()[1]}/alerts")

    assert time.monotonic() - started < START_DELAY + 5  # it would be 3 s more for each address


def test_a_web_process_logs_it_and_a_command_does_not(environment: dict[str, str], tmp_path: Path) -> None:
    empty = environment | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "version"]

    web = subprocess.run([sys.executable, "-c", "import wsgi"], cwd=ROOT, env=empty, capture_output=True, check=True)
    other = subprocess.run(command, cwd=ROOT, env=empty, capture_output=True, check=True)

    lines = [json.loads(line) for line in web.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["web process started", "the database cannot be used yet"]
    assert other.stderr == b""
