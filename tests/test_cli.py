"""The commands: they do what they say, and say what is missing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import ColumnElement, select

from tests.factories import NOW, SECRET_PATH, SeededIds, get_destination
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.auth.accounts import add_account, find_by_password
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, Role, Workspace
from webapp.settings import read_settings

PASSWORD = "correct horse battery"
TWICE = f"{PASSWORD}\n{PASSWORD}\n"

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a command as `flask --app wsgi` does; typed: what stands on its standard input."""

    def run(*words: str, typed: str = "") -> Result:
        return app.test_cli_runner().invoke(args=words, input=typed)

    return run


def _roles(app: Flask, email: str) -> dict[str, str]:
    """Read in which workspaces an account has which role."""
    query = select(Workspace.slug, Member.role).join(Member.workspace).join(Member.account)
    with app.app_context():
        return {slug: role.value for slug, role in db.session.execute(query.where(Account.email == email))}


def test_a_workspace_is_added_and_its_next_command_told(app: Flask, run: Run) -> None:
    told = run("add-workspace", "harbor", "Hafen & Söhne")

    assert (told.exit_code, "flask add-member harbor EMAIL admin" in told.output) == (0, True)
    with app.app_context():
        assert [(w.slug, w.name) for w in db.session.scalars(select(Workspace))] == [("harbor", "Hafen & Söhne")]


@pytest.mark.parametrize("slug", ["a", "a-1", "0", "a" * 63])
def test_a_slug_has_up_to_63_small_letters_digits_and_hyphens(run: Run, slug: str) -> None:
    assert run("add-workspace", slug, "Any").exit_code == 0


@pytest.mark.parametrize("slug", ["a" * 64, "", "A", "a b", "a/b", "a_b", "ä", "²", "a.b", "a%62", "-"])
def test_any_other_slug_is_refused(app: Flask, run: Run, slug: str) -> None:
    told = run("add-workspace", "--", slug, "Any")

    assert told.exit_code == 1
    assert "A slug has up to 63 lowercase letters, digits and hyphens." in told.output
    with app.app_context():
        assert db.session.scalars(select(Workspace)).all() == []


def test_a_slug_that_is_taken_is_refused(seeded: SeededIds, run: Run) -> None:
    told = run("add-workspace", "harbor", "Another")

    assert (told.exit_code, told.output) == (1, "Error: A workspace harbor already exists.\n")


def test_a_new_member_chooses_a_password_and_signs_in_with_it(app: Flask, seeded: SeededIds, run: Run) -> None:
    told = run("add-member", "harbor", " Owner@Example.com", "support", "--name", "Owner", typed=TWICE)

    assert "owner@example.com is now support of Harbor Logistics." in told.output
    assert _roles(app, "owner@example.com") == {"harbor": "support"}
    signed_in = Visitor.anonymous(app).post("/sign-in", {"email": "owner@example.com", "password": PASSWORD})
    assert signed_in.status_code == 302


def test_no_password_is_shown_while_it_is_typed(seeded: SeededIds, run: Run) -> None:
    assert PASSWORD not in run("add-member", "harbor", "owner@example.com", "admin", typed=TWICE).output


def test_a_new_member_without_a_name_is_called_by_the_address(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "harbor", "owner@example.com", "admin", typed=TWICE)

    with app.app_context():
        assert (
            db.session.scalars(select(Account.name).where(Account.email == "owner@example.com")).one()
            == "owner@example.com"
        )


def test_a_password_that_is_typed_differently_the_second_time_adds_nobody(
    app: Flask, seeded: SeededIds, run: Run
) -> None:
    told = run("add-member", "harbor", "owner@example.com", "admin", typed=f"{PASSWORD}\nanother horse battery\n")

    assert told.exit_code == 1
    assert _roles(app, "owner@example.com") == {}


def test_a_new_members_password_has_12_characters_at_least(app: Flask, seeded: SeededIds, run: Run) -> None:
    told = run("add-member", "harbor", "owner@example.com", "admin", typed="eleven char\neleven char\n")

    assert (told.exit_code, "Use 12 characters or more." in told.output) == (1, True)
    assert _roles(app, "owner@example.com") == {}


def test_who_has_an_account_becomes_a_member_elsewhere_without_a_password(
    app: Flask, seeded: SeededIds, run: Run
) -> None:
    told = run("add-member", "clinic", "viewer@example.com", "admin")

    assert told.exit_code == 0
    assert _roles(app, "viewer@example.com") == {"harbor": "viewer", "clinic": "admin"}


def test_a_members_role_can_be_changed(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "harbor", "viewer@example.com", "support")

    assert _roles(app, "viewer@example.com") == {"harbor": "support"}


def test_a_member_who_is_removed_is_out_at_once_and_keeps_the_account(app: Flask, seeded: SeededIds, run: Run) -> None:
    visitor = Visitor.signed_in(app, seeded.viewer)

    told = run("remove-member", "harbor", "Viewer@example.com")

    assert told.output == "viewer@example.com is no longer a member of harbor.\n"
    assert visitor.get("/w/harbor/destinations").status_code == 404
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize("slug", ["clinic", "nowhere"])
def test_who_is_no_member_cannot_be_removed(app: Flask, seeded: SeededIds, run: Run, slug: str) -> None:
    told = run("remove-member", slug, "viewer@example.com")

    assert (told.exit_code, told.output) == (1, f"Error: viewer@example.com is not a member of {slug}.\n")
    assert _roles(app, "viewer@example.com") == {"harbor": "viewer"}


def test_an_unknown_workspace_is_told_with_the_command_that_adds_it(run: Run) -> None:
    told = run("add-member", "harbor", "owner@example.com", "admin", typed=TWICE)

    assert told.exit_code == 1
    assert "No workspace harbor exists. Add it with: flask add-workspace harbor NAME" in told.output


def test_an_unknown_role_is_told_with_those_there_are(seeded: SeededIds, run: Run) -> None:
    told = run("add-member", "harbor", "owner@example.com", "owner")

    assert told.exit_code == 2
    assert "'admin', 'support', 'viewer'" in told.output


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    """An account with a password."""
    with app.app_context():
        account = add_account("owner@example.com", "Owner", PASSWORD, NOW)
        db.session.commit()
        return account.id


def _opens(app: Flask, password: str) -> bool:
    with app.app_context():
        return find_by_password("owner@example.com", password) is not None


@pytest.mark.usefixtures("owner")
def test_a_new_password_replaces_the_old_one(app: Flask, run: Run) -> None:
    told = run("set-password", "OWNER@example.com", typed="twelve chars\ntwelve chars\n")

    assert told.output.endswith("owner@example.com has a new password and was signed out everywhere.\n")
    assert (_opens(app, PASSWORD), _opens(app, "twelve chars")) == (False, True)


@pytest.mark.usefixtures("owner")
def test_a_new_password_of_11_characters_is_refused(app: Flask, run: Run) -> None:
    told = run("set-password", "owner@example.com", typed="eleven char\neleven char\n")

    assert (told.exit_code, "Use 12 characters or more." in told.output) == (1, True)
    assert _opens(app, PASSWORD)


def test_an_account_that_is_closed_is_signed_out_and_kept_out_until_it_is_opened(
    app: Flask, owner: int, run: Run
) -> None:
    visitor = Visitor.signed_in(app, owner)
    assert visitor.get("/").status_code == 200

    closed = run("set-active", "owner@example.com", "false")

    assert closed.output == "owner@example.com may no longer sign in.\n"
    assert visitor.get("/").status_code == 302
    assert not _opens(app, PASSWORD)
    assert run("set-active", "owner@example.com", "true").output == "owner@example.com may sign in.\n"
    assert _opens(app, PASSWORD)


@pytest.mark.parametrize("words", [("set-password", "nobody@example.com"), ("set-active", "nobody@example.com", "no")])
def test_an_unknown_account_is_told(run: Run, words: tuple[str, ...]) -> None:
    told = run(*words)

    assert (told.exit_code, told.output) == (1, "Error: No account nobody@example.com exists.\n")


def test_keys_are_rotated_and_counted(environment: dict[str, str], seeded: SeededIds) -> None:
    keys = f"{Fernet.generate_key().decode()},{environment['ALERTCHECK_CONFIG_KEYS']}"
    runner = create_app(read_settings(environment | {"ALERTCHECK_CONFIG_KEYS": keys})).test_cli_runner()

    counts = [runner.invoke(args=["rotate-keys"]).output for _ in range(2)]

    assert counts == [
        "Re-encrypted: 2. Already current: 0. Unreadable: 0.\n",
        "Re-encrypted: 0. Already current: 2. Unreadable: 0.\n",
    ]


def test_a_rotation_that_leaves_something_unreadable_says_to_keep_the_old_keys(
    app: Flask, seeded: SeededIds, run: Run
) -> None:
    with app.app_context():
        get_destination(seeded).config = "garbage"
        db.session.commit()

    told = run("rotate-keys")

    assert told.exit_code == 1
    assert "Re-encrypted: 0. Already current: 1. Unreadable: 1." in told.output
    assert "Keep the old keys" in told.output
    assert SECRET_PATH not in told.output


def test_a_worker_without_a_queue_says_what_is_missing(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://:canary@127.0.0.1:1"}))

    told = app.test_cli_runner().invoke(args=["worker"])

    assert told.exit_code == 1
    assert told.output == "Error: The queue server at REDIS_URL does not answer. Start it, then start the worker.\n"


@pytest.mark.parametrize("processes", ["0", "65", "many"])
def test_a_worker_has_1_to_64_processes(run: Run, processes: str) -> None:
    told = run("worker", "--processes", processes)

    assert told.exit_code == 2
    assert "Invalid value for '--processes'" in told.output


def test_a_worker_that_was_not_seen_is_not_healthy(run: Run) -> None:
    told = run("check-worker")

    assert (told.exit_code, "No recent heartbeat of a worker." in told.output) == (1, True)


def test_a_worker_is_not_healthy_if_the_queue_cannot_tell(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://:canary@127.0.0.1:1"}))

    told = app.test_cli_runner().invoke(args=["check-worker"])

    assert told.exit_code == 1
    assert told.output == "Error: Cannot check the worker: the queue server at REDIS_URL does not answer.\n"


def test_an_installation_that_is_no_demo_has_no_command_to_fill_it_with_the_demos_data(run: Run) -> None:
    told = run("seed-demo")

    assert (told.exit_code, "No such command 'seed-demo'" in told.output) == (2, True)


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


def test_the_demo_has_two_workspaces_that_its_three_people_may_look_into(app: Flask, demo: dict[str, str]) -> None:
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

    told = _seed(demo | {"ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:4002"})

    assert told == f"{_count(app, AlertDestination.type != 'email')} addresses updated\n"


def _count(app: Flask, which: ColumnElement[bool]) -> int:
    with app.app_context():
        return len(db.session.scalars(select(AlertDestination).where(which)).all())
