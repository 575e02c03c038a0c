"""What was typed before a session ended fills in the form again, for the same account, and is not saved by itself."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from tests.factories import OWNER, PASSWORD, SIGNING_SECRET, SeededIds, add_owner, on_both_databases
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.models import AlertDestination, SignIn
from webapp.settings import read_settings
from webapp.views.refused_form_texts import NOTICES, FormNotice

Visit = Callable[[int], Visitor]

CREDENTIALS = {"email": OWNER, "password": PASSWORD}

LIST = "/w/harbor/destinations"
NEW, EDIT = f"{LIST}/new/email", f"{LIST}/1/edit"
NAME, RECIPIENTS = "Überseehafen <canary> 🚢", "ann@example.com\r\nbob@example.org"
TYPED = {"name": NAME, "recipients": RECIPIENTS}
SECRET_ADDRESS = "https://hooks.example.com/canary-typed"
OURS = {"Origin": "http://localhost"}


@pytest.fixture
def browser(owner: int, visit: Visit) -> Visitor:
    """The browser of the owner, signed in, with a form open."""
    return visit(owner)


def _end_sessions(app: Flask) -> None:
    with app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()


def _submit(browser: Visitor, path: str = NEW, typed: dict[str, str] = TYPED) -> TestResponse:
    return browser.post(path, typed, headers=OURS)


def _find_kept(page: str) -> str:
    """Return the hidden field with the kept form."""
    (kept,) = set(re.findall(r'name="kept" value="([^"]+)"', page))
    return str(kept)


def _press(browser: Visitor, page: TestResponse, label: str, typed: dict[str, str] | None = None) -> TestResponse:
    """Press a button of a page, as a browser does: with the hidden fields and the token of its form."""
    forms = re.findall(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', page.text, re.DOTALL)
    ((action, content),) = [found for found in forms if f"<button>{label}</button>" in found[1]]
    hidden = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', content))
    return browser.client.post(unescape(action), data=hidden | (typed or {}), headers=OURS)


def _sign_in(browser: Visitor, page: TestResponse, **changed: str) -> TestResponse:
    return _press(browser, page, "Sign in", CREDENTIALS | changed)


def _values(page: TestResponse) -> dict[str, str]:
    """Return what a destination's form shows in its fields."""
    inputs = re.findall(r'<input[^>]*name="(name|address|signing_secret)"[^>]*value="([^"]*)"', page.text)
    areas = re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\r?\n?([^<]*)</textarea>', page.text)
    return {name: unescape(value) for name, value in [*inputs, *areas]}


def _count_destinations(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(AlertDestination)) or 0


@on_both_databases
def test_after_a_sign_in_the_form_shows_what_was_typed_and_has_saved_nothing(app: Flask, browser: Visitor) -> None:
    _end_sessions(app)

    refused = _submit(browser)
    signed_in = _sign_in(browser, refused)
    form = _press(browser, signed_in, "Continue with the form")

    assert (refused.status_code, NOTICES[FormNotice.KEPT] in unescape(refused.text)) == (401, True)
    assert (form.status_code, _values(form)) == (200, TYPED)
    assert NOTICES[FormNotice.FILLED_IN] in unescape(form.text)
    assert _count_destinations(app) == 2


def test_the_form_can_then_be_saved(app: Flask, browser: Visitor) -> None:
    _end_sessions(app)
    form = _press(browser, _sign_in(browser, _submit(browser)), "Continue with the form")
    browser.token = re.findall(r'"X-CSRFToken": "([^"]+)"', form.text)[0]

    assert _submit(browser).status_code == 302
    assert _count_destinations(app) == 3


def test_a_form_that_is_edited_shows_what_was_typed_over_what_is_stored(app: Flask, browser: Visitor) -> None:
    _end_sessions(app)
    typed = {"name": "Pager", "address": SECRET_ADDRESS, "signing_secret": ""}

    form = _press(browser, _sign_in(browser, _submit(browser, EDIT, typed)), "Continue with the form")

    assert _values(form) == {"name": "Pager", "address": "", "signing_secret": "", "headers": ""}


def test_a_form_is_kept_with_the_version_of_the_destination_that_it_was_filled_with(
    app: Flask, browser: Visitor
) -> None:
    _end_sessions(app)

    page = _press(
        browser, _sign_in(browser, _submit(browser, EDIT, TYPED | {"version": "old"})), "Continue with the form"
    )

    assert '<input type="hidden" name="version" value="old">' in page.text


def test_a_form_is_kept_when_the_browser_lost_its_cookie(browser: Visitor) -> None:
    browser.client.delete_cookie("session")

    form = _press(browser, _sign_in(browser, _submit(browser)), "Continue with the form")

    assert _values(form) == TYPED


def test_a_form_is_kept_when_another_tab_signed_out(browser: Visitor) -> None:
    form_token = browser.token
    browser.post("/sign-out")
    browser.get("/sign-in")
    browser.token = form_token

    form = _press(browser, _sign_in(browser, _submit(browser)), "Continue with the form")

    assert _values(form) == TYPED


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_secret_of_any_channel_is_kept(app: Flask, browser: Visitor, channel: str) -> None:
    secrets = {field.name: f"{SECRET_ADDRESS}{SIGNING_SECRET}" for field in CHANNELS[channel].fields if field.is_secret}
    _end_sessions(app)
    refused = _submit(browser, f"{LIST}/new/{channel}", {"name": "Pager", **secrets})

    with app.app_context():
        content = app.extensions["alertcheck"].settings.cipher._fernet.decrypt(_find_kept(refused.text)).decode()

    assert ("Pager" in content, "canary" in content, SIGNING_SECRET in content) == (True, False, False)
    assert SECRET_ADDRESS not in refused.text


def test_a_field_that_no_form_has_is_not_kept(app: Flask, browser: Visitor) -> None:
    _end_sessions(app)
    refused = _submit(browser, typed=TYPED | {"password": "canary"})

    content = app.extensions["alertcheck"].settings.cipher._fernet.decrypt(_find_kept(refused.text)).decode()

    assert "canary horse" not in content
    assert "password" not in content


def test_another_account_gets_nothing_of_it(app: Flask, seeded: SeededIds, browser: Visitor) -> None:
    with app.app_context():
        add_owner(seeded, "other@example.com")
    _end_sessions(app)
    refused = _submit(browser)

    signed_in = _sign_in(browser, refused, email="other@example.com")
    browser.get(NEW)
    form = browser.post(NEW, {"kept": _find_kept(refused.text)})

    assert (signed_in.status_code, signed_in.location) == (302, NEW)
    assert (form.status_code, _values(form)) == (200, {"name": "", "recipients": ""})
    assert NOTICES[FormNotice.KEPT_NO_LONGER] in form.text


def test_a_kept_form_fills_in_no_other_form(app: Flask, browser: Visitor) -> None:
    _end_sessions(app)
    kept = _find_kept(_submit(browser).text)
    _sign_in(browser, browser.get("/sign-in"))
    browser.get(LIST)

    form = browser.post(EDIT, {"kept": kept})

    assert form.status_code == 200
    assert _values(form)["name"] == "Ticket system"


@pytest.mark.parametrize(("minutes", "is_kept"), [(59, True), (61, False)])
def test_a_form_is_kept_for_an_hour(app: Flask, browser: Visitor, minutes: int, is_kept: bool) -> None:
    _end_sessions(app)
    refused = _submit(browser)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        signed_in = _sign_in(browser, refused)

    assert (signed_in.status_code, "Continue with the form" in signed_in.text) == (200 if is_kept else 302, is_kept)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Referer": "http://localhost.evil.example/"},
    ],
)
def test_a_form_from_anywhere_else_is_not_kept(app: Flask, browser: Visitor, headers: dict[str, str]) -> None:
    _end_sessions(app)

    refused = browser.post(NEW, TYPED, headers=headers)

    assert (refused.status_code, "canary" in refused.text) == (302, False)
    assert NOTICES[FormNotice.NOT_KEPT] in unescape(browser.get(refused.location or "").text)


def test_a_form_that_was_not_made_for_an_account_is_not_kept(app: Flask, seeded: SeededIds) -> None:
    refused = _submit(Visitor.anonymous(app))

    assert (refused.status_code, refused.location) == (302, "/sign-in")


@pytest.mark.parametrize("length", [24 * 1024, 60 * 1024])
def test_what_is_too_long_is_not_kept_and_the_page_says_so(app: Flask, browser: Visitor, length: int) -> None:
    _end_sessions(app)

    refused = _submit(browser, typed={"name": "n" * length})

    assert (refused.status_code, refused.location) == (302, f"/sign-in?next={NEW}")
    assert NOTICES[FormNotice.NOT_KEPT] in unescape(browser.get(refused.location).text)


def test_a_wrong_password_loses_nothing(app: Flask, browser: Visitor) -> None:
    _end_sessions(app)

    wrong = _sign_in(browser, _submit(browser), password="canary horse battery")
    form = _press(browser, _sign_in(browser, wrong), "Continue with the form")

    assert (wrong.status_code, _values(form)) == (400, TYPED)


def test_a_session_that_ends_again_loses_nothing(app: Flask, browser: Visitor) -> None:
    _end_sessions(app)
    signed_in = _sign_in(browser, _submit(browser))
    _end_sessions(app)

    again = _press(browser, signed_in, "Continue with the form")
    form = _press(browser, _sign_in(browser, again), "Continue with the form")

    assert (again.status_code, _values(form)) == (401, TYPED)


def test_a_form_from_before_a_new_sign_in_in_another_tab_is_filled_in_at_once(
    app: Flask, owner: int, browser: Visitor
) -> None:
    browser.token = Visitor.signed_in(app, owner).token

    form = _press(browser, _submit(browser), "Continue with the form")

    assert (_values(form), _count_destinations(app)) == (TYPED, 2)


def test_a_form_of_another_account_is_not_filled_in(app: Flask, seeded: SeededIds, browser: Visitor) -> None:
    browser.token = Visitor.signed_in(app, seeded.admin).token

    refused = _submit(browser)

    assert (refused.status_code, "canary" in refused.text, 'name="kept"' in refused.text) == (400, False, False)


def test_a_sign_in_page_goes_on_to_the_kept_form_when_another_tab_signed_in(
    app: Flask, owner: int, browser: Visitor
) -> None:
    _end_sessions(app)
    refused = _submit(browser)
    elsewhere = Visitor.signed_in(app, owner).client.get_cookie("session")
    assert elsewhere is not None
    browser.client.set_cookie("session", elsewhere.value)

    form = _press(browser, _sign_in(browser, refused, password="typed in vain"), "Continue with the form")

    assert _values(form) == TYPED


def test_any_web_server_fills_it_in_also_without_redis(
    app: Flask, environment: dict[str, str], browser: Visitor
) -> None:
    _end_sessions(app)
    refused = _submit(browser)
    browser.client.application = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))

    form = _press(browser, _sign_in(browser, refused), "Continue with the form")

    assert _values(form) == TYPED


def test_what_was_typed_reaches_neither_an_address_nor_the_log(
    app: Flask, browser: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _end_sessions(app)

    refused = _submit(browser)
    signed_in = _sign_in(browser, refused)
    form = _press(browser, signed_in, "Continue with the form")

    assert (signed_in.status_code, form.status_code) == (200, 200)
    assert [word for word in ("canary", "bob@", _find_kept(refused.text)[:40]) if word in caplog.text] == []
    assert "canary" not in "".join(re.findall(r'(?:action|href)="[^"]*"', refused.text + signed_in.text))


def test_somebody_who_may_no_longer_edit_gets_no_form(app: Flask, owner: int, browser: Visitor) -> None:
    _end_sessions(app)
    signed_in = _sign_in(browser, _submit(browser))
    with app.app_context():
        db.session.execute(db.text("UPDATE members SET role = 'viewer' WHERE account_id = :owner"), {"owner": owner})
        db.session.commit()

    assert _press(browser, signed_in, "Continue with the form").status_code == 403
