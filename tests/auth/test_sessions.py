"""Sessions end by sign-out, password change, disabling the account, and after 12 hours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.auth import accounts
from webapp.auth.session_lifetime import SESSION_LIFETIME
from webapp.extensions import db
from webapp.models import Account, SignIn

Visit = Callable[[int], Visitor]
PAGE = "/w/harbor/destinations"


def _is_signed_in(visitor: Visitor) -> bool:
    return visitor.get(PAGE).status_code == 200


@pytest.fixture
def change_account(app: Flask, seeded: SeededIds) -> Callable[[Callable[[Account], None]], None]:
    """Change the admin's account as another process would."""

    def change(act: Callable[[Account], None]) -> None:
        with app.app_context():
            act(db.session.get_one(Account, seeded.admin))
            db.session.commit()

    return change


def test_sign_out_ends_the_session_in_every_copy_of_its_cookie(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    thief = app.test_client()
    stolen = visitor.client.get_cookie("session")
    assert stolen is not None
    thief.set_cookie("session", stolen.value)
    assert thief.get(PAGE).status_code == 200

    visitor.post("/sign-out")

    assert thief.get(PAGE).status_code == 302


def test_another_browser_stays_signed_in_when_one_signs_out(seeded: SeededIds, visit: Visit) -> None:
    leaving, staying = visit(seeded.admin), visit(seeded.admin)

    leaving.post("/sign-out")

    assert _is_signed_in(staying)


def test_a_new_password_ends_every_session(
    seeded: SeededIds, visit: Visit, change_account: Callable[..., None]
) -> None:
    visitor = visit(seeded.admin)

    change_account(
        lambda admin: accounts.change_password(admin, "a new and long password", datetime.now(UTC), COMMAND_LINE)
    )

    assert not _is_signed_in(visitor)


def test_disabling_an_account_ends_its_sessions_for_good(
    seeded: SeededIds, visit: Visit, change_account: Callable[..., None]
) -> None:
    visitor = visit(seeded.admin)

    change_account(lambda admin: accounts.set_active(admin, False))
    change_account(lambda admin: accounts.set_active(admin, True))

    assert not _is_signed_in(visitor)


@pytest.mark.parametrize(("left", "is_alive"), [(timedelta(minutes=1), True), (timedelta(0), False)])
def test_a_session_lasts_12_hours(app: Flask, seeded: SeededIds, visit: Visit, left: timedelta, is_alive: bool) -> None:
    visitor = visit(seeded.admin)
    with app.app_context():
        db.session.execute(update(SignIn).values(started_at=datetime.now(UTC) - SESSION_LIFETIME + left))
        db.session.commit()

    assert _is_signed_in(visitor) is is_alive


def test_a_cookie_with_an_account_id_instead_of_a_session_is_refused(app: Flask, seeded: SeededIds) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = str(seeded.admin)

    assert client.get(PAGE).status_code == 302
