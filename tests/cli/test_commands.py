"""What all commands have in common: what is typed, the audit trail, and a database that cannot be used."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.cli.commands import TWICE, Run
from tests.factories import SeededIds, on_both_databases
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.database.outage_reasons import Reason
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Member, SetUp, Workspace
from webapp.settings import read_settings


@pytest.mark.parametrize("invisible", ["\u200b", "\u202e", "\x1b", "\udcff", "\u3164", "\n", "\ue000"])
@pytest.mark.parametrize(
    "words",
    [
        ("add-member", "harbor", "own{}er@example.com", "admin"),
        ("add-member", "har{}bor", "owner@example.com", "admin"),
        ("set-password", "own{}er@example.com"),
        ("set-active", "own{}er@example.com", "true"),
        ("remove-member", "har{}bor", "owner@example.com"),
        ("list-members", "har{}bor"),
        ("make-instance-admin", "own{}er@example.com"),
    ],
    ids=" ".join,
)
def test_an_invisible_character_in_an_email_address_or_a_slug_is_refused(
    run: Run, words: tuple[str, ...], invisible: str
) -> None:
    result = run(*(word.format(invisible) for word in words), typed=TWICE)

    assert (result.exit_code, "It contains an invisible character. Type it again." in result.output) == (2, True)


def _trail(app: Flask) -> list[tuple[str, str, str, list[str]]]:
    """List what was done by command: workspace, action, subject and details, oldest first."""
    query = select(AuditEvent, Workspace.slug).join(Workspace, Workspace.id == AuditEvent.workspace_id)
    with app.app_context():
        rows = db.session.execute(query.where(AuditEvent.account_name == "Command line").order_by(AuditEvent.id)).all()
        assert [event for event, _ in rows if event.account_id is not None or event.result != "done"] == []
        return [(slug, event.action, event.subject, event.changed) for event, slug in rows]


@on_both_databases
def test_every_change_by_command_stands_in_the_audit_trail(app: Flask, run: Run) -> None:
    run("add-workspace", "dock", "Dock")
    run("add-member", "dock", "owner@example.com", "viewer", "--name", "Owner", typed=TWICE)
    run("add-member", "dock", "owner@example.com", "admin")
    run("add-member", "dock", "second@example.com", "admin", "--name", "Second", typed=TWICE)
    run("set-password", "owner@example.com", typed=TWICE)
    run("set-active", "owner@example.com", "false")
    run("set-active", "owner@example.com", "true")
    run("remove-member", "dock", "owner@example.com")

    assert _trail(app) == [
        ("dock", "added the workspace", "Dock", []),
        ("dock", "added the member", "Owner (account 1)", ["viewer"]),
        ("dock", "changed the role", "Owner (account 1)", ["viewer → admin"]),
        ("dock", "added the member", "Second (account 2)", ["admin"]),
        ("dock", "set the password", "Owner (account 1)", []),
        ("dock", "disabled the account", "Owner (account 1)", []),
        ("dock", "enabled the account", "Owner (account 1)", []),
        ("dock", "removed the member", "Owner (account 1)", ["admin"]),
    ]


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("add-workspace", "harbor", "Another"), "already exists"),
        (("add-member", "harbor", "viewer@example.com", "viewer"), "is already viewer of Harbor Logistics."),
        (("set-active", "viewer@example.com", "true"), "may sign in."),
        (("remove-member", "clinic", "viewer@example.com"), "is not a member of clinic."),
        (("set-password", "viewer@example.com"), "Use 12 characters or more."),
        (("set-password", "nobody@example.com"), "No account"),
    ],
)
def test_a_command_that_changes_nothing_leaves_no_row(
    app: Flask, seeded: SeededIds, run: Run, words: tuple[str, ...], output: str
) -> None:
    assert output in run(*words, typed="short\nshort\n").output
    assert _trail(app) == []


def test_a_change_of_an_account_is_recorded_in_each_of_its_workspaces(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "clinic", "viewer@example.com", "viewer")

    run("set-active", "viewer@example.com", "false")

    assert [row[:2] for row in _trail(app)][1:] == [
        ("harbor", "disabled the account"),
        ("clinic", "disabled the account"),
    ]


def test_ending_the_sessions_of_an_active_account_is_recorded(app: Flask, seeded: SeededIds, run: Run) -> None:
    visitor = Visitor.signed_in(app, seeded.viewer)

    run("set-active", "viewer@example.com", "true")

    assert visitor.get("/").status_code == 302
    assert [row[1] for row in _trail(app)] == ["ended all sessions"]


@on_both_databases
@pytest.mark.parametrize(
    "words",
    [
        ("add-workspace", "dock", "Dock"),
        ("add-member", "harbor", "viewer@example.com", "admin"),
        ("remove-member", "harbor", "viewer@example.com"),
        ("set-active", "viewer@example.com", "false"),
        ("set-password", "viewer@example.com"),
        ("make-instance-admin", "viewer@example.com"),
        ("rename-workspace", "harbor", "Port"),
        ("setup-link",),
    ],
)
def test_a_change_that_cannot_be_recorded_is_not_made(
    app: Flask, seeded: SeededIds, run: Run, words: tuple[str, ...]
) -> None:
    before = _read_accounts(app)
    with app.app_context():
        db.session.execute(text("ALTER TABLE audit_events RENAME TO out_of_reach"))
        db.session.commit()

    result = run(*words, typed=TWICE)

    assert (result.exit_code, _read_accounts(app)) == (1, before)


def _read_accounts(app: Flask) -> list[object]:
    """Read everything that the commands change."""
    with app.app_context():
        return [
            [tuple(row) for row in db.session.execute(select(*table.__table__.columns))]
            for table in (Workspace, Account, Member, SetUp)
        ]


@pytest.mark.parametrize(
    "words",
    [
        ("add-workspace", "dock", "Dock"),
        ("add-member", "harbor", "owner@example.com", "admin"),
        ("remove-member", "harbor", "owner@example.com"),
        ("set-password", "owner@example.com"),
        ("set-active", "owner@example.com", "true"),
        ("rotate-keys",),
        ("setup-link",),
        ("list-workspaces",),
        ("list-members",),
        ("rename-workspace", "harbor", "Harbor"),
        ("delete-workspace", "harbor"),
        ("make-instance-admin", "owner@example.com"),
    ],
)
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///{tmp_path}/empty.sqlite", Reason.NOT_MIGRATED.sentence),
        ("postgresql://ann:canary@127.0.0.1:1/alerts", Reason.REFUSED.sentence),
    ],
)
def test_a_command_explains_why_the_database_cannot_be_used(
    environment: dict[str, str], tmp_path: Path, words: tuple[str, ...], url: str, sentence: str
) -> None:
    app = create_app(read_settings(environment | {"DATABASE_URL": url.format(tmp_path=tmp_path)}))

    result = app.test_cli_runner().invoke(args=words)

    assert (result.exit_code, result.output) == (1, f"Error: {sentence}\n")
