"""What is loaded with a session: in one statement, once, and never from another workspace."""

from collections.abc import Callable

import pytest
from flask import Flask, session
from sqlalchemy import delete
from werkzeug.exceptions import NotFound

from tests.factories import NOW, SeededIds, add_delivery, get_destination
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp.auth.access import load_destination, load_visit
from webapp.dashboard.status_fragment import load_status
from webapp.extensions import db
from webapp.models import Member

Visit = Callable[[int], Visitor]

STATUS = "/w/harbor/destinations/1/status"


@pytest.fixture
def sign_in_id(seeded: SeededIds, visit: Visit) -> str:
    """The id of an admin's session."""
    with visit(seeded.admin).client.session_transaction() as cookie:
        return str(cookie["_user_id"])


def test_a_status_needs_one_statement_for_access_and_itself(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)

    with collecting_statements(app) as statements:
        assert visitor.client.get(STATUS).status_code == 200

    assert len(statements) == 1


def test_what_was_loaded_with_the_session_is_used_once(app: Flask, seeded: SeededIds, sign_in_id: str) -> None:
    with app.test_request_context(STATUS):
        session["_user_id"] = sign_in_id
        with collecting_statements(app) as first:
            assert load_destination(load_visit("harbor"), "1").id == 1
        db.session.execute(delete(Member).where(Member.account_id == seeded.admin))
        with pytest.raises(NotFound):
            load_visit("harbor")
        db.session.rollback()

    assert len(first) == 1


def test_what_a_view_shows_of_a_destination_is_loaded_with_the_session_and_used_once(
    app: Flask, seeded: SeededIds, sign_in_id: str
) -> None:
    with app.test_request_context(STATUS):
        session["_user_id"] = sign_in_id
        destination = load_destination(load_visit("harbor"), "1")
        with collecting_statements(app) as statements:
            before, _ = load_status(destination, NOW)
        add_delivery(get_destination(seeded))
        after, _ = load_status(destination, NOW)

    assert (statements, before, after is not None) == ([], None, True)


def test_an_id_that_is_no_number_has_nothing_to_show(seeded: SeededIds, visit: Visit) -> None:
    assert visit(seeded.admin).client.get("/w/harbor/destinations/none/status").status_code == 404


def test_another_workspace_or_destination_than_that_of_the_url_is_loaded_by_itself(app: Flask, sign_in_id: str) -> None:
    with app.test_request_context(STATUS):
        session["_user_id"] = sign_in_id
        with pytest.raises(NotFound):
            load_visit("clinic")
        visit = load_visit("harbor")
        with pytest.raises(NotFound):
            load_destination(visit, "999")
        assert load_destination(visit, "1").workspace_id == visit.workspace.id
