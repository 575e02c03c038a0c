"""The commands for members: their effects, and their error messages."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cli.commands import PASSWORD, TWICE, Run, read_roles
from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.auth.accounts import find_by_email
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.models import Account


def test_a_new_members_name_is_cleaned(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "harbor", "owner@example.com", "support", "--name", "\u202eOw\u2028ner", typed=TWICE)

    with app.app_context():
        assert db.session.scalar(select(Account.name).where(Account.email == "owner@example.com")) == "Ow ner"


def test_a_new_member_chooses_a_password_and_signs_in_with_it(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("add-member", "harbor", " Owner@Example.com", "support", "--name", "Owner", typed=TWICE)

    assert "owner@example.com is now support of Harbor Logistics." in result.output
    assert read_roles(app, "owner@example.com") == {"harbor": "support"}
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
    assert read_roles(app, "owner@example.com") == {}


def test_a_new_members_password_has_12_characters_at_least(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("add-member", "harbor", "owner@example.com", "admin", typed="eleven char\neleven char\n")

    assert (result.exit_code, "Use 12 characters or more." in result.output) == (1, True)
    assert read_roles(app, "owner@example.com") == {}


def test_a_member_with_an_account_joins_another_workspace_without_a_password(
    app: Flask, seeded: SeededIds, run: Run
) -> None:
    result = run("add-member", "clinic", "viewer@example.com", "admin")

    assert result.exit_code == 0
    assert read_roles(app, "viewer@example.com") == {"harbor": "viewer", "clinic": "admin"}


def test_a_members_role_can_be_changed(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "harbor", "viewer@example.com", "support")

    assert read_roles(app, "viewer@example.com") == {"harbor": "support"}


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
    assert read_roles(app, "admin@example.com") == {"harbor": "admin"}


def test_whoever_supports_every_workspace_remains_support(app: Flask, seeded: SeededIds, run: Run) -> None:
    with app.app_context():
        db.session.get_one(Account, seeded.stranger).is_support_everywhere = True
        db.session.commit()
    added = run("add-member", "harbor", "stranger@example.com", "viewer")

    removed = run("remove-member", "harbor", "stranger@example.com")

    assert added.output == "stranger@example.com is now support of Harbor Logistics.\n"
    assert removed.output == "stranger@example.com supports every workspace, and is now only support of harbor.\n"
    assert read_roles(app, "stranger@example.com") == {"harbor": "support", "clinic": "admin"}


@pytest.mark.parametrize("slug", ["clinic", "nowhere"])
def test_an_account_that_is_not_a_member_cannot_be_removed(app: Flask, seeded: SeededIds, run: Run, slug: str) -> None:
    result = run("remove-member", slug, "viewer@example.com")

    assert (result.exit_code, result.output) == (1, f"Error: viewer@example.com is not a member of {slug}.\n")
    assert read_roles(app, "viewer@example.com") == {"harbor": "viewer"}


def test_an_unknown_workspace_is_reported_with_the_command_that_adds_it(run: Run) -> None:
    result = run("add-member", "harbor", "owner@example.com", "admin", typed=TWICE)

    assert result.exit_code == 1
    assert f"No workspace harbor exists. Add it with: {COMMAND} add-workspace harbor NAME" in result.output


def test_an_unknown_role_is_reported_with_the_valid_ones(seeded: SeededIds, run: Run) -> None:
    result = run("add-member", "harbor", "owner@example.com", "owner")

    assert result.exit_code == 2
    assert "'admin', 'support', 'viewer'" in result.output


@pytest.mark.parametrize(
    "password", ["password1234", "owner@example.com", "harbor logistics", "qwertyuiopas", "k3-" * 400]
)
def test_a_weak_password_is_refused_for_a_new_member_with_what_to_do(
    app: Flask, seeded: SeededIds, run: Run, password: str
) -> None:
    result = run("add-member", "harbor", "owner@example.com", "admin", typed=f"{password}\n" * 2)

    assert (result.exit_code, "Use " in result.output) == (1, True)
    assert read_roles(app, "owner@example.com") == {}
    with app.app_context():
        assert find_by_email("owner@example.com") is None


@pytest.mark.parametrize("email", ["owner", "own\u200ber@example.com", "owner\x1b[2J@example.com", "e" * 255])
def test_an_address_that_is_none_is_refused_before_a_password_is_asked(seeded: SeededIds, run: Run, email: str) -> None:
    result = run("add-member", "harbor", email, "admin")

    assert result.exit_code != 0
    assert ("email" in result.output.lower(), "Password" in result.output) == (True, False)


def test_members_of_all_workspaces_are_listed(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("set-active", "viewer@example.com", "false")
    run("make-instance-admin", "support@example.com")

    assert [line.split() for line in run("list-members").output.splitlines()] == [
        ["WORKSPACE", "ROLE", "EMAIL", "SINCE", "LAST", "SEEN", "NOTES", "NAME"],
        ["clinic", "admin", "stranger@example.com", "-", "-", "-", "Stranger"],
        ["harbor", "admin", "admin@example.com", "-", "-", "-", "Admin"],
        ["harbor", "support", "support@example.com", "-", "-", "instance-admin", "Support"],
        ["harbor", "viewer", "viewer@example.com", "-", "-", "disabled", "Viewer"],
    ]


def test_members_of_one_workspace_are_listed(app: Flask, seeded: SeededIds, run: Run) -> None:
    run("add-member", "clinic", "viewer@example.com", "viewer")
    today = f"{datetime.now(UTC):%Y-%m-%d}"

    assert [line.split()[:4] for line in run("list-members", "clinic").output.splitlines()[1:]] == [
        ["clinic", "admin", "stranger@example.com", "-"],
        ["clinic", "viewer", "viewer@example.com", today],
    ]


def test_members_of_an_unknown_workspace_are_not_listed(run: Run) -> None:
    result = run("list-members", "dock")

    assert (result.exit_code, "No workspace dock exists." in result.output) == (1, True)
