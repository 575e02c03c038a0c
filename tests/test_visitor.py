"""The session of a test browser, which is added without a page or a sign-in."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from tests.factories import NOW, SeededIds, on_both_databases
from tests.visitor import Visitor, add_session
from webapp.audit.actions import Action
from webapp.auth import session_lifetime
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Member, Role, SignIn, Workspace


def read_rows() -> list[list[dict[str, Any]]]:
    """Return all that a sign-in adds, without the ids."""
    sessions, events = SignIn.__table__, AuditEvent.__table__
    queries = select(sessions), select(events).where(events.c.action == Action.SIGNED_IN).order_by(events.c.id)
    return [
        [{name: value for name, value in row._mapping.items() if name != "id"} for row in db.session.execute(query)]
        for query in queries
    ]


@pytest.mark.usefixtures("context")
@on_both_databases
@pytest.mark.parametrize("count", [0, 2])
def test_the_rows_of_a_session_are_those_of_a_sign_in(seeded: SeededIds, count: int) -> None:
    db.session.execute(delete(Member))
    for workspace_id in db.session.scalars(select(Workspace.id).limit(count)):
        db.session.add(Member(workspace_id=workspace_id, account_id=seeded.admin, role=Role.ADMIN))
    session_lifetime.sign_in(db.session.get_one(Account, seeded.admin), NOW)
    db.session.commit()
    of_a_sign_in = read_rows()

    add_session(seeded.admin, NOW)

    assert len(of_a_sign_in[1]) == max(count, 1)
    assert read_rows() == [rows + rows for rows in of_a_sign_in]


def read_session(browser: Visitor) -> tuple[str, bool | None, bool | None, set[str]]:
    """Return what a browser knows of its session cookie, and the names of what the session holds."""
    cookie = browser.client.get_cookie("session")
    assert cookie
    with browser.client.session_transaction() as session:
        return cookie.domain, cookie.secure, cookie.http_only, set(session)


def test_a_browser_that_is_not_signed_in_has_the_session_of_the_sign_in_page(app: Flask) -> None:
    opened = Visitor(app.test_client())
    opened.get("/sign-in")

    assert read_session(Visitor.anonymous(app)) == read_session(opened)
