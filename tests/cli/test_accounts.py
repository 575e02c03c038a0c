"""The commands for accounts."""

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cli.commands import PASSWORD, Run
from tests.factories import NOW, SeededIds, get_account, is_password_of
from tests.visitor import Visitor
from webapp.auth import session_lifetime
from webapp.auth.accounts import find_by_email
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.models import Account, SignIn


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


@pytest.mark.usefixtures("owner")
def test_a_weak_password_does_not_replace_the_old_one(app: Flask, run: Run) -> None:
    result = run("set-password", "owner@example.com", typed="Alertcheck2026\nAlertcheck2026\n")

    assert (result.exit_code, "contains a name that others know" in result.output) == (1, True)
    assert _can_sign_in(app, PASSWORD)


def test_disabling_the_last_admin_says_which_workspace_has_none(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("set-active", "admin@example.com", "false")

    command = f"{COMMAND} add-member harbor EMAIL admin"
    assert result.output == (
        "admin@example.com may no longer sign in.\n"
        f"Harbor Logistics now has no admin who can sign in. Add one with: {command}\n"
    )


def _list_instance_admins(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Account.email).where(Account.is_instance_admin).order_by(Account.id)))


def test_an_account_becomes_an_instance_admin_and_is_none_again(app: Flask, seeded: SeededIds, run: Run) -> None:
    made = [run("make-instance-admin", f"{name}@example.com").output for name in ("admin", "Support", "support")]
    revoked = [run("make-instance-admin", "admin@example.com", "--revoke").output for _ in range(2)]

    assert made == [
        "admin@example.com is now an instance admin.\n",
        "support@example.com is now an instance admin.\n",
        "support@example.com is already an instance admin.\n",
    ]
    assert revoked == [
        "admin@example.com is no longer an instance admin.\n",
        "admin@example.com is not an instance admin.\n",
    ]
    assert _list_instance_admins(app) == ["support@example.com"]


@pytest.mark.parametrize("words", [("make-instance-admin", "--revoke"), ("set-active", "false")])
def test_the_last_instance_admin_stays(app: Flask, seeded: SeededIds, run: Run, words: tuple[str, str]) -> None:
    run("make-instance-admin", "admin@example.com")
    result = run(words[0], "admin@example.com", words[1])

    assert (result.exit_code, "is the only instance admin" in result.output) == (1, True)
    assert _list_instance_admins(app) == ["admin@example.com"]


def test_the_rights_of_a_set_up_links_session_are_revoked_too(app: Flask, seeded: SeededIds, run: Run) -> None:
    with app.app_context():
        session_lifetime.sign_in(get_account(seeded), NOW, is_instance_admin=True)
        db.session.commit()
    result = run("make-instance-admin", "admin@example.com", "--revoke")

    assert result.output == "admin@example.com is no longer an instance admin.\n"
    with app.app_context():
        assert db.session.scalars(select(SignIn.is_instance_admin)).all() == [False]
