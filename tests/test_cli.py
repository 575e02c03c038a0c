"""The commands: their effects, and their error messages."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import ColumnElement, select, text

from tests.factories import NOW, SECRET_PATH, SeededIds, get_destination, on_both_databases
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.auth.accounts import add_account, find_by_email, is_password_of
from webapp.database.reasons import Reason
from webapp.environment.installation import COMMAND
from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, Member, Role, Workspace
from webapp.queue import QueueProblem
from webapp.settings import read_settings

PASSWORD = "correct horse battery"
TWICE = f"{PASSWORD}\n{PASSWORD}\n"

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a command as `flask --app wsgi` does; typed: its standard input."""

    def run(*words: str, typed: str = "") -> Result:
        return app.test_cli_runner().invoke(args=words, input=typed)

    return run


def _roles(app: Flask, email: str) -> dict[str, str]:
    """Read in which workspaces an account has which role."""
    query = select(Workspace.slug, Member.role).join(Member.workspace).join(Member.account)
    with app.app_context():
        return {slug: role.value for slug, role in db.session.execute(query.where(Account.email == email))}


def test_a_workspace_is_added_and_the_next_command_is_shown(app: Flask, run: Run) -> None:
    result = run("add-workspace", "harbor", "Hafen & Söhne")

    assert (result.exit_code, f"{COMMAND} add-member harbor EMAIL admin" in result.output) == (0, True)
    with app.app_context():
        assert [(w.slug, w.name) for w in db.session.scalars(select(Workspace))] == [("harbor", "Hafen & Söhne")]


@pytest.mark.parametrize("slug", ["a", "a-1", "0", "a" * 63])
def test_a_slug_has_up_to_63_lower_case_letters_digits_and_hyphens(run: Run, slug: str) -> None:
    assert run("add-workspace", slug, "Any").exit_code == 0


@pytest.mark.parametrize("slug", ["a" * 64, "", "A", "a b", "a/b", "a_b", "ä", "²", "a.b", "a%62", "-"])
def test_any_other_slug_is_refused(app: Flask, run: Run, slug: str) -> None:
    result = run("add-workspace", "--", slug, "Any")

    assert result.exit_code == 1
    assert "A slug has up to 63 lowercase letters, digits and hyphens." in result.output
    with app.app_context():
        assert db.session.scalars(select(Workspace)).all() == []


def test_a_slug_that_is_taken_is_refused(seeded: SeededIds, run: Run) -> None:
    result = run("add-workspace", "harbor", "Another")

    assert (result.exit_code, result.output) == (1, "Error: A workspace harbor already exists.\n")


@pytest.mark.parametrize(
    ("name", "stored"), [("Ops\u202e\nNext step: call\u200b", "Ops Next step: call"), (" Ops\udcff ", "Ops")]
)
def test_a_workspaces_name_is_cleaned(app: Flask, run: Run, name: str, stored: str) -> None:
    assert run("add-workspace", "harbor", name).exit_code == 0
    with app.app_context():
        assert db.session.scalars(select(Workspace.name)).all() == [stored]


@pytest.mark.parametrize(
    ("name", "sentence"), [("\u200b\u3164", "The name has no visible character."), ("x" * 201, "The name is too long.")]
)
def test_a_workspace_without_a_usable_name_is_refused(run: Run, name: str, sentence: str) -> None:
    result = run("add-workspace", "harbor", name)

    assert (result.exit_code, sentence in result.output) == (2, True)


@pytest.mark.parametrize("invisible", ["\u200b", "\u202e", "\x1b", "\udcff", "\u3164", "\n", "\ue000"])
@pytest.mark.parametrize(
    "words",
    [
        ("add-member", "harbor", "own{}er@example.com", "admin"),
        ("add-member", "har{}bor", "owner@example.com", "admin"),
        ("set-password", "own{}er@example.com"),
        ("set-active", "own{}er@example.com", "true"),
        ("remove-member", "har{}bor", "owner@example.com"),
    ],
    ids=" ".join,
)
def test_an_invisible_character_in_an_email_address_or_a_slug_is_refused(
    run: Run, words: tuple[str, ...], invisible: str
) -> None:
    result = run(*(word.format(invisible) for word in words), typed=TWICE)

    assert (result.exit_code, "It contains an invisible character. Type it again." in result.output) == (2, True)


def test_a_new_members_name_is_cleaned(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "harbor", "owner@example.com", "support", "--name", "\u202eOw\u2028ner", typed=TWICE)

    with app.app_context():
        assert db.session.scalar(select(Account.name).where(Account.email == "owner@example.com")) == "Ow ner"


def test_a_new_member_chooses_a_password_and_signs_in_with_it(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("add-member", "harbor", " Owner@Example.com", "support", "--name", "Owner", typed=TWICE)

    assert "owner@example.com is now support of Harbor Logistics." in result.output
    assert _roles(app, "owner@example.com") == {"harbor": "support"}
    signed_in = Visitor.anonymous(app).post("/sign-in", {"email": "owner@example.com", "password": PASSWORD})
    assert signed_in.status_code == 302


def test_a_typed_password_is_not_shown(seeded: SeededIds, run: Run) -> None:
    assert PASSWORD not in run("add-member", "harbor", "owner@example.com", "admin", typed=TWICE).output


def test_a_new_member_without_a_name_gets_the_email_address_as_name(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "harbor", "owner@example.com", "admin", typed=TWICE)

    with app.app_context():
        assert (
            db.session.scalars(select(Account.name).where(Account.email == "owner@example.com")).one()
            == "owner@example.com"
        )


def test_two_different_passwords_add_no_member(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("add-member", "harbor", "owner@example.com", "admin", typed=f"{PASSWORD}\nanother horse battery\n")

    assert result.exit_code == 1
    assert _roles(app, "owner@example.com") == {}


def test_a_new_members_password_has_12_characters_at_least(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("add-member", "harbor", "owner@example.com", "admin", typed="eleven char\neleven char\n")

    assert (result.exit_code, "Use 12 characters or more." in result.output) == (1, True)
    assert _roles(app, "owner@example.com") == {}


def test_a_member_with_an_account_joins_another_workspace_without_a_password(
    app: Flask, seeded: SeededIds, run: Run
) -> None:
    result = run("add-member", "clinic", "viewer@example.com", "admin")

    assert result.exit_code == 0
    assert _roles(app, "viewer@example.com") == {"harbor": "viewer", "clinic": "admin"}


def test_a_members_role_can_be_changed(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "harbor", "viewer@example.com", "support")

    assert _roles(app, "viewer@example.com") == {"harbor": "support"}


def test_a_removed_member_loses_access_at_once_and_keeps_the_account(app: Flask, seeded: SeededIds, run: Run) -> None:
    visitor = Visitor.signed_in(app, seeded.viewer)

    result = run("remove-member", "harbor", "Viewer@example.com")

    assert result.output == "viewer@example.com is no longer a member of harbor.\n"
    assert visitor.get("/w/harbor/destinations").status_code == 404
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize(
    "words", [("remove-member", "harbor", "admin@example.com"), ("add-member", "harbor", "admin@example.com", "viewer")]
)
def test_the_last_admin_is_neither_removed_nor_lowered(
    app: Flask, seeded: SeededIds, run: Run, words: tuple[str, ...]
) -> None:
    result = run(*words)

    sentence = "Admin is the last admin of Harbor Logistics who can sign in. Make somebody else an admin first."
    assert (result.exit_code, result.output) == (1, f"Error: {sentence}\n")
    assert _roles(app, "admin@example.com") == {"harbor": "admin"}


def test_whoever_supports_every_workspace_remains_support(app: Flask, seeded: SeededIds, run: Run) -> None:
    with app.app_context():
        db.session.get_one(Account, seeded.stranger).is_support_everywhere = True
        db.session.commit()
    run("add-member", "harbor", "stranger@example.com", "admin")

    result = run("remove-member", "harbor", "stranger@example.com")

    assert result.output == "stranger@example.com supports every workspace, and is now only support of harbor.\n"
    assert _roles(app, "stranger@example.com") == {"harbor": "support", "clinic": "admin"}


def test_disabling_the_last_admin_says_which_workspace_has_none(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("set-active", "admin@example.com", "false")

    command = f"{COMMAND} add-member harbor EMAIL admin"
    assert result.output == (
        "admin@example.com may no longer sign in.\n"
        f"Harbor Logistics now has no admin who can sign in. Add one with: {command}\n"
    )


@pytest.mark.parametrize("slug", ["clinic", "nowhere"])
def test_an_account_that_is_not_a_member_cannot_be_removed(app: Flask, seeded: SeededIds, run: Run, slug: str) -> None:
    result = run("remove-member", slug, "viewer@example.com")

    assert (result.exit_code, result.output) == (1, f"Error: viewer@example.com is not a member of {slug}.\n")
    assert _roles(app, "viewer@example.com") == {"harbor": "viewer"}


def test_an_unknown_workspace_is_reported_with_the_command_that_adds_it(run: Run) -> None:
    result = run("add-member", "harbor", "owner@example.com", "admin", typed=TWICE)

    assert result.exit_code == 1
    assert f"No workspace harbor exists. Add it with: {COMMAND} add-workspace harbor NAME" in result.output


def test_an_unknown_role_is_reported_with_the_valid_ones(seeded: SeededIds, run: Run) -> None:
    result = run("add-member", "harbor", "owner@example.com", "owner")

    assert result.exit_code == 2
    assert "'admin', 'support', 'viewer'" in result.output


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    """An account with a password."""
    with app.app_context():
        account = add_account("owner@example.com", "Owner", PASSWORD, NOW)
        db.session.commit()
        return account.id


def _can_sign_in(app: Flask, password: str) -> bool:
    with app.app_context():
        account = find_by_email("owner@example.com")
        return account is not None and is_password_of(account, password)


@pytest.mark.usefixtures("owner")
def test_a_new_password_replaces_the_old_one(app: Flask, run: Run) -> None:
    result = run("set-password", "OWNER@example.com", typed="kdj3-fj20-xm\nkdj3-fj20-xm\n")

    assert result.output.endswith("owner@example.com has a new password and was signed out everywhere.\n")
    assert (_can_sign_in(app, PASSWORD), _can_sign_in(app, "kdj3-fj20-xm")) == (False, True)


@pytest.mark.usefixtures("owner")
def test_a_new_password_of_11_characters_is_refused(app: Flask, run: Run) -> None:
    result = run("set-password", "owner@example.com", typed="eleven char\neleven char\n")

    assert (result.exit_code, "Use 12 characters or more." in result.output) == (1, True)
    assert _can_sign_in(app, PASSWORD)


def test_a_deactivated_account_is_signed_out_and_cannot_sign_in_until_it_is_activated(
    app: Flask, owner: int, run: Run
) -> None:
    visitor = Visitor.signed_in(app, owner)
    assert visitor.get("/").status_code == 200

    deactivated = run("set-active", "owner@example.com", "false")

    assert deactivated.output == "owner@example.com may no longer sign in.\n"
    assert visitor.get("/").status_code == 302
    assert not _can_sign_in(app, PASSWORD)
    assert run("set-active", "owner@example.com", "true").output == "owner@example.com may sign in.\n"
    assert _can_sign_in(app, PASSWORD)


@pytest.mark.parametrize("words", [("set-password", "nobody@example.com"), ("set-active", "nobody@example.com", "no")])
def test_an_unknown_account_is_reported(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert (result.exit_code, result.output) == (1, "Error: No account nobody@example.com exists.\n")


@pytest.mark.parametrize(
    "password", ["password1234", "owner@example.com", "harbor logistics", "qwertyuiopas", "k3-" * 400]
)
def test_a_weak_password_is_refused_for_a_new_member_with_what_to_do(
    app: Flask, seeded: SeededIds, run: Run, password: str
) -> None:
    result = run("add-member", "harbor", "owner@example.com", "admin", typed=f"{password}\n" * 2)

    assert (result.exit_code, "Use " in result.output) == (1, True)
    assert _roles(app, "owner@example.com") == {}
    with app.app_context():
        assert find_by_email("owner@example.com") is None


@pytest.mark.usefixtures("owner")
def test_a_weak_password_does_not_replace_the_old_one(app: Flask, run: Run) -> None:
    result = run("set-password", "owner@example.com", typed="Alertcheck2026\nAlertcheck2026\n")

    assert (result.exit_code, "contains a name that others know" in result.output) == (1, True)
    assert _can_sign_in(app, PASSWORD)


@pytest.mark.parametrize("email", ["owner", "own\u200ber@example.com", "owner\x1b[2J@example.com", "e" * 255])
def test_an_address_that_is_none_is_refused_before_a_password_is_asked(seeded: SeededIds, run: Run, email: str) -> None:
    result = run("add-member", "harbor", email, "admin")

    assert result.exit_code != 0
    assert ("email" in result.output.lower(), "Password" in result.output) == (True, False)


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
            for table in (Workspace, Account, Member)
        ]


def test_keys_are_rotated_and_counted(environment: dict[str, str], seeded: SeededIds) -> None:
    keys = f"{Fernet.generate_key().decode()},{environment['ALERTCHECK_CONFIG_KEYS']}"
    runner = create_app(read_settings(environment | {"ALERTCHECK_CONFIG_KEYS": keys})).test_cli_runner()

    counts = [runner.invoke(args=["rotate-keys"]).output for _ in range(2)]

    assert counts == [
        "Re-encrypted: 2. Already current: 0. Unreadable: 0.\n",
        "Re-encrypted: 0. Already current: 2. Unreadable: 0.\n",
    ]


def test_a_rotation_with_unreadable_settings_asks_to_keep_the_old_keys(app: Flask, seeded: SeededIds, run: Run) -> None:
    with app.app_context():
        get_destination(seeded).config = "garbage"
        db.session.commit()

    result = run("rotate-keys")

    assert result.exit_code == 1
    assert "Re-encrypted: 0. Already current: 1. Unreadable: 1." in result.output
    assert "Keep the old keys" in result.output
    assert SECRET_PATH not in result.output


@pytest.mark.parametrize("processes", ["0", "65", "many"])
def test_a_worker_has_1_to_64_processes(run: Run, processes: str) -> None:
    result = run("worker", "--processes", processes)

    assert result.exit_code == 2
    assert "Invalid value for '--processes'" in result.output


def test_a_worker_without_a_heartbeat_is_not_healthy(run: Run) -> None:
    result = run("check-worker")

    assert (result.exit_code, "No worker has sent a heartbeat for 10 s" in result.output) == (1, True)


def test_a_worker_is_not_healthy_without_a_queue_server(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://:canary@127.0.0.1:1"}))

    result = app.test_cli_runner().invoke(args=["check-worker"])

    assert result.exit_code == 1
    assert result.output == f"Error: No heartbeat of a worker can be read or written. {QueueProblem.REFUSED.sentence}\n"


def test_seed_demo_exists_only_in_a_demo(run: Run) -> None:
    result = run("seed-demo")

    assert (result.exit_code, "No such command 'seed-demo'" in result.output) == (2, True)


@pytest.fixture
def demo(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of a demo."""
    inbox = str(tmp_path / "inbox.sqlite")
    return environment | {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": inbox,
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:4001",
    }


def _seed(demo: dict[str, str]) -> str:
    return create_app(read_settings(demo)).test_cli_runner().invoke(args=["seed-demo"]).output


def test_the_demo_has_two_workspaces_and_every_channel(app: Flask, demo: dict[str, str]) -> None:
    assert _seed(demo) == "workspaces added\n"

    assert _roles(app, "support@demo.invalid") == {"harbor": Role.SUPPORT, "clinic": Role.SUPPORT}
    with app.app_context():
        assert set(db.session.scalars(select(AlertDestination.type))) == {"teams", "slack", "webhook", "email"}


def test_seeding_again_adds_nothing(app: Flask, demo: dict[str, str]) -> None:
    _seed(demo)
    before = _count(app, AlertDestination.id.is_not(None))

    assert _seed(demo) == "0 addresses updated\n"
    assert _count(app, AlertDestination.id.is_not(None)) == before > 0


def test_seeding_again_follows_the_receiver_to_its_new_port(app: Flask, demo: dict[str, str]) -> None:
    _seed(demo)

    result = _seed(demo | {"ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:4002"})

    assert result == f"{_count(app, AlertDestination.type != 'email')} addresses updated\n"


def _count(app: Flask, which: ColumnElement[bool]) -> int:
    with app.app_context():
        return len(db.session.scalars(select(AlertDestination).where(which)).all())


@pytest.mark.parametrize(
    "words",
    [
        ("add-workspace", "dock", "Dock"),
        ("add-member", "harbor", "owner@example.com", "admin"),
        ("remove-member", "harbor", "owner@example.com"),
        ("set-password", "owner@example.com"),
        ("set-active", "owner@example.com", "true"),
        ("rotate-keys",),
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
