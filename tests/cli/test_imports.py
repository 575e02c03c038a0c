"""The commands that import and export destinations: what they print, add and exit with."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cli.commands import Run
from tests.factories import SeededIds, list_events, on_both_databases
from webapp.audit import Action
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination

SLACK = "https://hooks.slack.com/services/T000/B000/canary"
FILE = f"""
receivers:
  - name: ops
    slack_configs: [{{api_url: "{SLACK}"}}]
  - name: night
    slack_configs: [{{api_url: "{SLACK}2"}}]
  - name: hidden
    slack_configs: [{{api_url_file: /etc/slack}}]
"""
COMPLETE = FILE[: FILE.index("  - name: hidden")]


@pytest.fixture
def file(tmp_path: Path, seeded: SeededIds) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(FILE, "utf-8")
    return path


def list_names(app: Flask) -> list[str]:
    with app.app_context():
        names = db.session.scalars(select(AlertDestination.name).order_by(AlertDestination.id)).all()
        return list(names[2:])


@on_both_databases
def test_what_is_ready_is_added_and_the_rest_is_listed(app: Flask, run: Run, file: Path) -> None:
    result = run("import", str(file), "--workspace", "harbor")

    assert result.output.splitlines()[:4] == [
        "STATE           CHANNEL  WHERE            NAME",
        "ready           slack    hooks.slack.com  ops",
        "ready           slack    hooks.slack.com  night",
        "needs-a-secret  slack    -                hidden",
    ]
    assert "hidden: The file does not contain: " in result.output
    assert result.output.endswith("2 destinations are added. Nothing was sent.\n")
    assert (result.exit_code, list_names(app)) == (1, ["ops", "night"])
    assert "canary" not in result.output
    with app.app_context():
        assert db.session.scalars(select(AlertDelivery)).all() == []


def test_it_exits_with_0_if_each_receiver_has_a_destination(app: Flask, run: Run, file: Path) -> None:
    file.write_text(COMPLETE, "utf-8")

    first, again = (run("import", str(file), "--workspace", "harbor") for _ in "12")

    assert (first.exit_code, again.exit_code, list_names(app)) == (0, 0, ["ops", "night"])
    assert "ops: It leads to the same place as the destination “ops” of this workspace." in again.output
    assert "0 destinations are added." in again.output


@pytest.mark.parametrize(("content", "status"), [(FILE, 1), (COMPLETE, 0)])
def test_a_dry_run_adds_nothing(app: Flask, run: Run, file: Path, content: str, status: int) -> None:
    file.write_text(content, "utf-8")

    result = run("import", str(file), "--workspace", "harbor", "--dry-run")

    assert "2 destinations would be added. Nothing was sent." in result.output
    assert (result.exit_code, list_names(app)) == (status, [])


def test_only_the_named_receivers_are_added(app: Flask, run: Run, file: Path) -> None:
    result = run("import", str(file), "--workspace", "harbor", "--only", "NIGHT", "--only", "ops")

    assert (result.exit_code, list_names(app)) == (0, ["ops", "night"])


def test_a_name_that_is_not_in_the_file_adds_nothing(app: Flask, run: Run, file: Path) -> None:
    result = run("import", str(file), "--workspace", "harbor", "--only", "ops", "--only", "pager\x1b[31m")

    assert (result.exit_code, list_names(app)) == (1, [])
    assert "No receiver in the file is called pager [31m. Nothing was added." in result.output


def test_standard_input_is_read(app: Flask, run: Run, seeded: SeededIds) -> None:
    result = run("import", "-", "--workspace", "harbor", typed=COMPLETE)

    assert (result.exit_code, list_names(app)) == (0, ["ops", "night"])


def test_the_import_is_in_the_audit_trail(app: Flask, run: Run, seeded: SeededIds, file: Path) -> None:
    run("import", str(file), "--workspace", "harbor")

    with app.app_context():
        events = list_events(seeded.harbor)[:3]
    assert [event.action for event in events] == [Action.IMPORTED, Action.ADDED, Action.ADDED]
    assert {(event.account_id, event.account_name) for event in events} == {(None, "Command line")}
    assert events[0].changed == ["2 destinations from alertmanager.yml"]


def test_no_control_character_reaches_the_terminal(run: Run, file: Path) -> None:
    file.write_text(FILE.replace("name: ops", r'name: "ops\e]0;evil\a\u202e\nready"'), "utf-8")

    result = run("import", str(file), "--workspace", "harbor", "--dry-run")

    assert "ops ]0;evil ready" in result.output
    assert [line for line in result.output.split("\n") if not line.isprintable()] == []


@pytest.mark.parametrize(
    ("content", "options", "part"),
    [
        (b"receivers: [", (), "not valid YAML"),
        (b"\x89PNG\xff", (), "not a text file"),
        (b"x" * (2 * 1024 * 1024 + 2), (), "larger than"),
        (b"receivers: []", (), "There is no receiver in it."),
        (b"SQLite format 3\x00 but nothing more", (), "database"),
        (FILE.encode(), ("--format", "uptime_kuma"), "database"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    app: Flask, run: Run, file: Path, content: bytes, options: tuple[str, ...], part: str
) -> None:
    file.write_bytes(content)

    result = run("import", str(file), "--workspace", "harbor", *options)

    assert (result.exit_code, list_names(app)) == (1, [])
    assert result.output.startswith("Error: ")
    assert part in result.output


def test_an_unknown_workspace_is_refused(run: Run, file: Path) -> None:
    results = [run("import", str(file), "--workspace", "nowhere"), run("export", "--workspace", "nowhere")]

    assert [(result.exit_code, "No workspace nowhere exists." in result.output) for result in results] == [
        (1, True)
    ] * 2


def test_a_missing_file_is_refused(run: Run, seeded: SeededIds) -> None:
    assert run("import", "/nowhere/x.yml", "--workspace", "harbor").exit_code == 2


def test_an_export_has_no_secret(run: Run, file: Path) -> None:
    run("import", str(file), "--workspace", "harbor")

    result = run("export", "--workspace", "harbor")

    assert result.exit_code == 0
    assert "name: Ticket system\n  type: webhook\n  enabled: true\n" in result.output
    assert "host: hooks.slack.com\n  settings: {}\n  needs:\n  - address\n" in result.output
    assert "canary" not in result.output


def test_a_database_of_uptime_kuma_is_recognized_by_its_content(app: Flask, run: Run, file: Path) -> None:
    file.unlink()
    config = {"type": "slack", "name": "Kuma", "slackwebhookURL": SLACK}
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE notification (id INTEGER PRIMARY KEY, name TEXT, config TEXT)")
        database.execute("INSERT INTO notification (name, config) VALUES ('Kuma', ?)", [json.dumps(config)])
        database.commit()

    result = run("import", str(file), "--workspace", "harbor")

    assert (result.exit_code, list_names(app)) == (0, ["Kuma"])
    assert "canary" not in result.output


def test_a_public_demo_imports_nothing(app: Flask, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.cli.imports.current_settings", lambda: SimpleNamespace(is_public_demo=True))

    result = run("import", str(file), "--workspace", "harbor")

    assert (result.exit_code, result.output) == (1, "Error: A public demo imports nothing.\n")
    assert list_names(app) == []
