"""The command check-settings: one line for each part, an exit code, and no secret, even if all is wrong."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import Result
from flask import Flask

from benchmarks.installation.processes import ROOT
from tests.scripted_mail_server import mail_server
from webapp import queue
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.settings import read_settings

WRONG_SERVERS = {
    "DATABASE_URL": "postgres://canary:canary%2Fpass@127.0.0.1:1/canary",
    "REDIS_URL": "redis://canary:canary%2Fpass@127.0.0.1:1/7",
    "ALERTCHECK_MAIL_URL": "smtps://canary:canary%2Fpass@127.0.0.1:1",
    "ALERTCHECK_MAIL_FROM": "Canary <canary@canary.example>",
    "ALERTCHECK_EGRESS_PROXY": "http://canary:canary%2Fpass@127.0.0.1:1",
    "ALERTCHECK_PUBLIC_URL": "https://canary.example",
    "ALERTCHECK_ALLOWED_HOSTS": "other.example",
}


def _run(app: Flask) -> Result:
    """Run the command with a resolver that uses no network."""
    state = app_state(app)
    outbound = replace(state.settings.outbound, resolver=lambda host: ["93.184.216.34"])
    state.settings = replace(state.settings, outbound=outbound)
    return app.test_cli_runner().invoke(args=["check-settings"])


def _parts(result: Result) -> dict[str, str]:
    """Return the first word of each part's first line."""
    lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    return {part.removesuffix(":"): state for state, part, _ in reversed(lines)}


def test_an_installation_that_works_has_a_line_for_each_part_and_exits_with_0(environment: dict[str, str]) -> None:
    with mail_server() as receiver:
        mail = {
            "ALERTCHECK_MAIL_URL": f"smtp://127.0.0.1:{receiver.port}",
            "ALERTCHECK_MAIL_FROM": "alerts@example.com",
        }
        app = create_app(read_settings(environment | mail))
        with app.app_context():
            queue.record_heartbeat("host:1")
        result = _run(app)

    assert _parts(result) == {
        "database": "ok",
        "schema": "ok",
        "keys": "ok",
        "search": "ok",
        "clock": "ok",
        "queue": "ok",
        "worker": "ok",
        "mail": "ok",
        "dns": "ok",
        "pages": "note",
    }
    assert result.exit_code == 0


def test_servers_that_cannot_be_used_are_all_named_and_no_secret_is(environment: dict[str, str]) -> None:
    result = _run(create_app(read_settings(environment | WRONG_SERVERS)))

    parts = _parts(result)
    assert result.exit_code == 1
    assert {part for part, state in parts.items() if state == "problem"} == {
        "database",
        "queue",
        "mail",
        "proxy",
        "pages",
    }
    assert parts["dns"] == "ok"
    assert "canary" not in result.output.lower()
    assert "://" not in result.output.replace("begins with https://", "")


@pytest.mark.parametrize("command", [("-m", "webapp"), ("-m", "flask", "--app", "wsgi")], ids=" ".join)
def test_settings_that_cannot_be_read_are_explained(environment: dict[str, str], command: tuple[str, ...]) -> None:
    wrong = environment | {"DATABASE_URL": "sqlite:///canary.sqlite", "ALERTCHECK_PUBLIC_URL": "canary.example.com"}
    process = subprocess.run(
        [sys.executable, *command, "check-settings"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | wrong,
        cwd=ROOT,
        timeout=120,
    )

    assert process.returncode == 1
    assert process.stderr.splitlines()[-3:] == [
        "Alertcheck cannot start:",
        "DATABASE_URL has to name a file by its whole path, with four slashes: "
        "sqlite:////var/lib/alertcheck/alertcheck.sqlite.",
        "ALERTCHECK_PUBLIC_URL has to begin with https:// or http://, such as https://alertcheck.example.com.",
    ]
    assert "canary" not in process.stderr + process.stdout


def test_a_web_process_logs_its_settings_before_it_connects_to_anything(environment: dict[str, str]) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        capture_output=True,
        text=True,
        check=True,
        env=environment | WRONG_SERVERS,
        cwd=ROOT,
        timeout=120,
    )

    line = json.loads(process.stderr.splitlines()[0])
    assert (line["event"], line["database"], line["queue"], line["mail"], line["egress_proxy"]) == (
        "web process started",
        "postgresql",
        "redis",
        "smtps",
        True,
    )
    assert set(WRONG_SERVERS) <= set(line["settings"].split(", "))
    assert "canary" not in process.stderr.lower()
