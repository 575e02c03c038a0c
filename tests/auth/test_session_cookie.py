"""The session cookie and the CSRF token: signed, and valid whatever a server's clock says."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask, flash, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeSerializer
from sqlalchemy import delete, update

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.models import SignIn, database_clock

PAGE = "/w/harbor/destinations"
MINUTES = pytest.mark.parametrize("minutes", [-300, -5, -1 / 60, 1 / 60, 5, 300])


@pytest.fixture
def visitor(app: Flask, seeded: SeededIds) -> Visitor:
    return Visitor.signed_in(app, seeded.admin)


def _cookie(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def _is_signed_in(app: Flask, cookie: str) -> bool:
    client = app.test_client()
    client.set_cookie("session", cookie)
    return client.get(PAGE).status_code == 200


def _sign(app: Flask, content: dict[str, str], secret: str, salt: str) -> str:
    signer = {"key_derivation": "hmac", "digest_method": app.session_interface.digest_method}  # type: ignore[attr-defined]
    return str(URLSafeSerializer(secret, salt=salt, signer_kwargs=signer).dumps(content))


@MINUTES
def test_a_cookie_is_accepted_by_a_server_with_another_clock(app: Flask, visitor: Visitor, minutes: float) -> None:
    cookie = _cookie(visitor)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        assert _is_signed_in(app, cookie)


@MINUTES
def test_a_csrf_token_is_accepted_by_a_server_with_another_clock(visitor: Visitor, minutes: float) -> None:
    visitor.get(PAGE)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        assert visitor.post("/w/harbor/destinations/1/disable").status_code == 302


def test_the_cookie_does_not_depend_on_the_time_at_which_it_was_signed(app: Flask) -> None:
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    early = serializer.dumps({"_user_id": "x"})

    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC)):
        assert serializer.dumps({"_user_id": "x"}) == early


def test_a_changed_cookie_is_refused(app: Flask, visitor: Visitor) -> None:
    content, _, signature = _cookie(visitor).rpartition(".")

    assert not _is_signed_in(app, f"{content[:-1]}{'A' if content[-1] != 'A' else 'B'}.{signature}")


@pytest.mark.parametrize(
    ("secret", "salt"), [("another key, as long as the one of the tests", "untimed-session"), (None, "receipt")]
)
def test_a_cookie_with_another_key_or_purpose_is_refused(
    app: Flask, visitor: Visitor, secret: str | None, salt: str
) -> None:
    with visitor.client.session_transaction() as session:
        content = dict(session)

    right = _sign(app, content, str(app.secret_key), "untimed-session")
    wrong = _sign(app, content, secret or str(app.secret_key), salt)

    assert (_is_signed_in(app, right), _is_signed_in(app, wrong)) == (True, False)


def test_a_timed_cookie_of_an_earlier_version_signs_nobody_in_and_breaks_nothing(app: Flask, visitor: Visitor) -> None:
    with visitor.client.session_transaction() as session:
        timed = SecureCookieSessionInterface().get_signing_serializer(app)
        assert timed is not None
        old = str(timed.dumps(dict(session)))

    assert not _is_signed_in(app, old)


@pytest.mark.parametrize("cookie", ["", ".", "..", "x", "x.y", "e30", "e30.", ".eJw.x", "\u00e9", "a" * 4000])
def test_garbage_in_the_cookie_is_an_empty_session(app: Flask, seeded: SeededIds, cookie: str) -> None:
    assert not _is_signed_in(app, cookie)


@pytest.mark.parametrize("path", [PAGE, "/w/harbor/destinations/1/status", "/w/clinic/destinations", "/healthz"])
def test_a_cookie_that_stays_the_same_is_not_sent_again(visitor: Visitor, path: str) -> None:
    visitor.get(PAGE)  # adds the CSRF token to the session of these tests

    assert "Set-Cookie" not in visitor.client.get(path).headers


def test_a_cookie_that_changes_is_sent_once(visitor: Visitor) -> None:
    visitor.get(PAGE)

    pressed = visitor.post("/w/harbor/destinations/1/disable")  # leaves a message for the next page
    shown, after = visitor.get(PAGE), visitor.get(PAGE)

    assert [len(response.headers.getlist("Set-Cookie")) for response in (pressed, shown, after)] == [1, 1, 0]


def test_the_cookie_of_a_session_in_use_is_renewed_every_five_minutes(app: Flask, visitor: Visitor) -> None:
    visitor.get(PAGE)
    with app.app_context():
        db.session.execute(update(SignIn).values(last_seen_at=database_clock.now() - timedelta(minutes=6)))
        db.session.commit()

    renewed, after = visitor.client.get(PAGE), visitor.client.get(PAGE)

    assert [len(response.headers.getlist("Set-Cookie")) for response in (renewed, after)] == [1, 0]


def test_a_request_that_changes_its_session_does_not_change_that_of_others_with_the_same_cookie(app: Flask) -> None:
    with app.test_request_context():
        flash("First")
        content = dict(session)
    cookie = _sign(app, content, str(app.secret_key), app.session_interface.salt)  # type: ignore[attr-defined]
    for _ in range(2):
        with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
            flash("Second")
            assert [text for _, text in session["_flashes"]] == ["First", "Second"]


def test_a_cookie_that_is_remembered_ends_with_its_session(app: Flask, visitor: Visitor) -> None:
    cookie = _cookie(visitor)
    assert _is_signed_in(app, cookie)

    with app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()

    assert not _is_signed_in(app, cookie)
