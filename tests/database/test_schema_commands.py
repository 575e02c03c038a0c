"""The `db` commands: what they print, what they ask, and what they refuse."""

import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest
from alembic.config import Config
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from benchmarks.installation.processes import ROOT
from benchmarks.installation.schema import downgrade, upgrade
from tests.conftest import migrate
from tests.databases import Template, copied_database, unmigrated_database
from tests.factories import on_both_databases
from tests.schema_history import HEAD, ask, execute, fill_v1, insert, read_version, v1_delivery
from webapp.application import create_app
from webapp.database import schema_commands
from webapp.database.migrations import get_scripts
from webapp.database.outage_reasons import Reason
from webapp.database.revision import list_known_revisions
from webapp.database.schema_commands import MANY_DELIVERIES
from webapp.extensions import db
from webapp.settings import read_settings

BEFORE = f"{int(HEAD) - 1:04}"
NOT_MIGRATED = "The database is not migrated: run flask --app wsgi db upgrade"

Run = Callable[..., Result]

# A copy is made in a twentieth of the time of an upgrade from an empty database.
MIGRATED = Template("newest", migrate)


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own for each test: without any table, unless it is to be migrated."""
    make = partial(copied_database, MIGRATED) if "migrated" in request.fixturenames else unmigrated_database
    with make(database, request, tmp_path) as url:
        yield url


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a `db` command without a terminal."""
    return lambda *words: app.test_cli_runner().invoke(args=("db", *words))


@pytest.fixture
def migrated(context: None) -> None:
    """A database with the newest schema."""


# Upgrade


@on_both_databases
def test_an_upgrade_names_each_step_with_its_title_and_time_and_where_it_ended(run: Run, context: None) -> None:
    result = run("upgrade")

    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    titles = list_known_revisions().titles
    assert [re.sub(r".*-> (\d+), ", r"\1 ", line) for line in lines[:-1:2]] == [
        f"{n} {title}" for n, title in titles.items()
    ]
    assert [line for line in lines[1:-1:2] if not re.fullmatch(r"  done after \d+\.\d s", line)] == []
    assert lines[-1].startswith(f"The database has revision {HEAD}, which this program needs: ")


def test_an_upgrade_with_nothing_to_do_says_only_where_the_database_is(run: Run, migrated: None) -> None:
    assert run("upgrade").stdout.splitlines() == run("current").stdout.splitlines()


@on_both_databases
def test_an_upgrade_of_many_deliveries_says_how_many_there_are(run: Run, context: None) -> None:
    upgrade(revision="0001")
    fill_v1()
    insert("alert_deliveries", *[v1_delivery() for _ in range(MANY_DELIVERIES // 100)])
    for _ in range(7):
        execute(f"INSERT INTO alert_deliveries ({COLUMNS}) SELECT {COLUMNS} FROM alert_deliveries")
    if db.engine.dialect.name == "postgresql":
        execute("ANALYZE alert_deliveries")

    result = run("upgrade")

    assert result.stdout.startswith("There are about 12,800 deliveries. Pages wait")


COLUMNS = (
    "workspace_id, tenant_id, alert_rule_id, alert_destination_id, event_type, status, sent_at, attempt_count,"
    " payload, created_at, updated_at"
)


@on_both_databases
@pytest.mark.parametrize(
    ("revision", "part"),
    [("9998", "is newer than this program"), ("ae1027a6acf", "a revision that this program does not know")],
)
def test_an_upgrade_of_a_database_that_is_not_ours_to_upgrade_is_refused(
    run: Run, migrated: None, revision: str, part: str
) -> None:
    execute(f"UPDATE alembic_version SET version_num = '{revision}'")

    result = run("upgrade")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: Nothing was changed. The database ")
    assert part in result.stderr


def test_an_upgrade_of_our_tables_without_a_revision_is_refused(run: Run, migrated: None) -> None:
    execute("DROP TABLE alembic_version")

    result = run("upgrade")

    assert (result.exit_code, "but no revision in alembic_version" in result.stderr) == (1, True)


@on_both_databases
def test_a_step_that_the_database_refuses_is_named_without_a_traceback(run: Run, context: None) -> None:
    upgrade(revision="0001")
    execute("CREATE INDEX ix_alert_deliveries_rule ON alert_rules (name)")  # the next step needs this name

    result = run("upgrade")

    assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
    assert result.stderr.startswith("Error: Nothing was changed: the database refused a step (")
    assert "ix_alert_deliveries_rule" in result.stderr
    assert read_version() == "0001"


# Downgrade


def test_every_migration_says_what_its_downgrade_loses(context: None) -> None:
    losses = {script.revision: script.module.DOWNGRADE_LOSES for script in get_scripts().walk_revisions()}

    assert {revision for revision, loss in losses.items() if not re.fullmatch(r"[a-z][^\n]+\.", loss)} == set()


@on_both_databases
def test_a_downgrade_without_a_terminal_says_what_is_lost_and_changes_nothing(run: Run, migrated: None) -> None:
    result = run("downgrade", "0007")

    lost = [line.strip()[:5] for line in result.stdout.splitlines() if line.startswith("  ")]
    assert lost == [f"{number:04}:" for number in range(int(HEAD), 7, -1)]
    assert "which destinations each press on Test all left out." in result.stdout
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Nothing was changed. Without a terminal to ask at, a downgrade needs --yes.\n",
    )
    assert read_version() == HEAD


@on_both_databases
def test_a_downgrade_that_is_confirmed_on_the_command_line_goes_one_step_back(run: Run, migrated: None) -> None:
    result = run("downgrade", "--yes")

    assert (result.exit_code, read_version()) == (0, BEFORE)
    assert "This removes for good:" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Before you start anything, install the version of Alertcheck")


def test_a_downgrade_to_base_names_all_steps(run: Run, migrated: None) -> None:
    result = run("downgrade", "base")

    assert "0001: everything: all workspaces, accounts" in result.stdout
    assert read_version() == HEAD


def test_a_downgrade_of_an_empty_database_has_nothing_to_ask(run: Run, context: None) -> None:
    result = run("downgrade", "base")

    assert (result.exit_code, result.stdout) == (0, "")


def _answer_at_a_terminal(environment: dict[str, str], answer: str) -> tuple[int, str]:
    """Downgrade at a terminal, and type an answer. Returns the exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "downgrade"]
    process = subprocess.Popen(
        command, env=os.environ | environment, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    shown = b""
    with suppress(OSError):  # Linux: the other side is closed
        while chunk := os.read(ours, 4096):
            shown += chunk
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code", "version"), [("n", 1, HEAD), ("y", 0, BEFORE)])
def test_at_a_terminal_a_downgrade_asks(
    migrated: None, environment: dict[str, str], answer: str, code: int, version: str
) -> None:
    result, shown = _answer_at_a_terminal(environment, answer)

    assert ("Downgrade now? [y/N]" in shown, result, read_version()) == (True, code, version)


# The others


@on_both_databases
def test_an_empty_database_is_not_migrated(run: Run) -> None:
    result = run("current")

    assert (result.exit_code, result.output) == (0, f"{NOT_MIGRATED}.\n")


def test_a_stamp_says_what_it_did(run: Run, migrated: None) -> None:
    result = run("stamp", "0007")

    assert (result.exit_code, read_version()) == (0, "0007")
    assert result.stdout.splitlines()[-1].startswith(f"No table was changed. {NOT_MIGRATED} (it has revision 0007")


def test_a_stamp_cures_several_revisions(run: Run, migrated: None) -> None:
    execute("INSERT INTO alembic_version VALUES ('0007')")
    assert run("upgrade").exit_code == 1

    run("stamp", "--purge", HEAD)

    assert (run("upgrade").exit_code, ask("SELECT count(*) FROM alembic_version")) == (0, 1)


@pytest.mark.parametrize(
    "words", [("upgrade", "0042"), ("downgrade", "0042", "--yes"), ("stamp", "0042"), ("show", "0042")]
)
def test_what_flask_migrate_logs_as_an_error_is_shown_as_text(run: Run, migrated: None, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert (result.exit_code, result.stderr) == (1, "Error: Can't locate revision identified by '0042'\n")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("heads",), f"{HEAD} (head)"),
        (("history",), f"{BEFORE} -> {HEAD} (head), "),
        (("check",), "No new upgrade operations"),
    ],
)
def test_the_other_commands_print_their_result_alone(
    run: Run, migrated: None, words: tuple[str, ...], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Alembic keeps the standard output that it was imported with.
    monkeypatch.setattr(Config, "print_stdout", lambda _config, line, *values: click.echo(line % values))

    result = run(*words)

    assert (result.exit_code, part in result.stdout, result.stderr) == (0, True, "")
    assert ("plugin" in result.stdout, "{" in result.stdout) == (False, False)


@pytest.mark.parametrize("words", [("upgrade",), ("current",), ("downgrade", "--yes"), ("stamp", "head"), ("check",)])
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://ann:canary@127.0.0.1:1/alerts", Reason.REFUSED.sentence),
        ("sqlite:////nowhere/canary.sqlite", Reason.CANNOT_OPEN.sentence),
    ],
)
def test_a_database_that_cannot_be_reached_is_explained_by_every_command(
    environment: dict[str, str], words: tuple[str, ...], url: str, sentence: str
) -> None:
    app = create_app(read_settings(environment | {"DATABASE_URL": url}))

    result = app.test_cli_runner().invoke(args=("db", *words))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The database ")
    assert (sentence in result.stderr, "canary" in result.stderr, result.stderr.count("\n")) == (True, False, 1)


def test_no_url_and_no_password_is_shown(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://ann:c%40nary@127.0.0.1:1/alerts"
    app = create_app(read_settings(environment | {"DATABASE_URL": url}))

    def log_secrets(*_arguments: object) -> None:
        logging.getLogger("alembic.env").warning("see %s or postgresql://x:y@z, c@nary, c%%40nary", url)

    monkeypatch.setattr("flask_migrate.command.heads", lambda *_arguments, **_options: log_secrets())
    result = app.test_cli_runner().invoke(args=("db", "heads"))

    assert result.stderr == "see [left out] or [left out] [left out], [left out]\n"


def test_after_a_command_the_libraries_log_as_before(run: Run, migrated: None) -> None:
    before = _read_loggers()
    run("current")

    assert _read_loggers() == before


def _read_loggers() -> list[object]:
    loggers = [logging.getLogger(name) for name in ("alembic", "flask_migrate")]
    return [(logger.level, logger.propagate, list(logger.handlers)) for logger in loggers]


# Two at once


@on_both_databases
def test_an_upgrade_that_waits_for_another_process_says_so(run: Run, app: Flask, context: None) -> None:
    upgrade(revision="0001")
    lock = "BEGIN IMMEDIATE" if db.engine.dialect.name == "sqlite" else "SELECT pg_advisory_xact_lock(7264031902)"
    shown: list[str] = []

    class Release(logging.Handler):
        """Ends the other process's transaction once the upgrade says that it waits."""

        def emit(self, record: logging.LogRecord) -> None:
            shown.append(record.getMessage())
            other.rollback()

    release = Release()
    logging.getLogger("alembic.env").addHandler(release)
    with closing(db.engine.connect()) as other:
        other.execute(text(lock))
        result = run("upgrade")
    logging.getLogger("alembic.env").removeHandler(release)

    waiting = "Another process is changing the database. Waiting for it to finish."
    assert (shown[0], result.stdout.splitlines()[0]) == (waiting, waiting)
    assert (result.exit_code, read_version()) == (0, HEAD)


@on_both_databases
@pytest.mark.parametrize("words", [(), ("-- -1",), ("head-1",)])
def test_a_downgrade_removes_no_more_than_it_named_if_another_process_downgrades_meanwhile(
    run: Run, migrated: None, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    confirm = schema_commands._require_consent

    def confirm_slowly(*arguments: Any) -> None:
        confirm(*arguments)
        downgrade()

    monkeypatch.setattr(schema_commands, "_require_consent", confirm_slowly)
    result = run("downgrade", "--yes", *" ".join(words).split())

    assert f"  {HEAD}: " in result.stdout
    assert (result.exit_code, read_version()) == (0, BEFORE)
