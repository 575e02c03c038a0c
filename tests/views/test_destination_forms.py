"""A destination's form without JavaScript: what was valid is not asked for again, and no page contains it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select

from tests.auth.overlapping import run_overlapping
from tests.factories import SIGNING_SECRET, SeededIds, get_destination, on_both_databases
from tests.visitor import Visitor
from webapp.destinations import editing
from webapp.destinations.form_versions import find_version
from webapp.extensions import db
from webapp.models import AlertDestination, FormDraft, SignIn
from webapp.models.locking import lock_destination
from webapp.settings import AppSettings

NEWEST = 0
NEW = "/w/harbor/destinations/new/webhook"
EDIT = "/w/harbor/destinations/1/edit"
ADDRESS, SECRET = "https://hooks.example.com/canary-typed", "whsec_" + "Y2FuYXJ5" * 4
SECRETS = {"address": ADDRESS, "signing_secret": SECRET}
# What the form has chosen if nobody changes it.
CHOSEN = {"method": "POST", "body": "standard"}

Settings = Callable[[int], dict[str, str]]


@pytest.fixture
def admin(seeded: SeededIds, visit: Callable[[int], Visitor]) -> Visitor:
    return visit(seeded.admin)


@pytest.fixture
def settings(app: Flask, app_settings: AppSettings) -> Settings:
    """Return a destination's decrypted settings; those of the one that was added last for `NEWEST`."""

    def look(destination_id: int) -> dict[str, str]:
        with app.app_context():
            newest = db.session.scalar(select(func.max(AlertDestination.id)))
            found = db.session.get_one(AlertDestination, destination_id or newest)
            return app_settings.cipher.decrypt(found.config, context=found.encryption_context)

    return look


@pytest.fixture
def store_settings(app: Flask, app_settings: AppSettings, seeded: SeededIds) -> Callable[[dict[str, str]], None]:
    """Replace the destination's settings, as an import or an earlier version may have stored them."""

    def store(settings: dict[str, str]) -> None:
        with app.app_context():
            found = get_destination(seeded)
            found.config = app_settings.cipher.encrypt(settings, context=found.encryption_context)
            found.settings_version += 1
            db.session.commit()

    return store


@pytest.fixture
def name_of(app: Flask, seeded: SeededIds) -> Callable[[], str]:
    """Return the name of the destination as it is stored."""

    def look() -> str:
        with app.app_context():
            return get_destination(seeded).name

    return look


def hidden_fields(page: str) -> dict[str, str]:
    """Return what the form would send of the draft that it names."""
    return dict(re.findall(r'<input type="hidden" name="(draft|drafted)" value="([^"]+)">', page))


def count_drafts(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(FormDraft)) or 0


@pytest.mark.parametrize("path", [NEW, EDIT])
def test_valid_secrets_are_kept_and_not_shown(admin: Visitor, path: str) -> None:
    page = admin.post(path, SECRETS | {"name": ""}).text

    assert "canary" not in page
    assert SECRET not in page
    assert page.count("What you entered here is kept for 15 minutes. Leave blank to use it.") == 2
    assert hidden_fields(page)["drafted"] == "address,signing_secret"
    assert "Enter again" not in page


def test_kept_secrets_are_saved_with_the_corrected_form(app: Flask, admin: Visitor, settings: Settings) -> None:
    draft = hidden_fields(admin.post(NEW, SECRETS | {"name": ""}).text)

    response = admin.post(NEW, {"name": "Pager", "address": "", "signing_secret": ""} | draft)

    assert response.status_code == 302
    assert settings(NEWEST) == SECRETS | CHOSEN
    assert count_drafts(app) == 0


def test_kept_secrets_replace_the_stored_ones(admin: Visitor, settings: Settings) -> None:
    draft = hidden_fields(admin.post(EDIT, SECRETS | {"name": ""}).text)

    admin.post(EDIT, {"name": "Pager", "address": "", "signing_secret": ""} | draft)

    assert settings(1) == SECRETS | CHOSEN


def test_a_secret_that_is_typed_again_counts_more_than_the_kept_one(admin: Visitor, settings: Settings) -> None:
    draft = hidden_fields(admin.post(NEW, SECRETS | {"name": ""}).text)

    admin.post(NEW, {"name": "Pager", "address": "https://hooks.example.com/second", "signing_secret": ""} | draft)

    assert settings(NEWEST) == {"address": "https://hooks.example.com/second", "signing_secret": SECRET} | CHOSEN


def test_secrets_are_kept_over_several_errors_in_one_draft(app: Flask, admin: Visitor, settings: Settings) -> None:
    first = hidden_fields(admin.post(NEW, {"name": "", "address": ADDRESS, "signing_secret": "wrong"}).text)
    second = hidden_fields(admin.post(NEW, {"name": "", "address": "", "signing_secret": SECRET} | first).text)

    assert count_drafts(app) == 1
    admin.post(NEW, {"name": "Pager", "address": "", "signing_secret": ""} | second)
    assert settings(NEWEST) == SECRETS | CHOSEN


@pytest.mark.parametrize("path", [NEW, EDIT])
def test_secrets_that_are_kept_no_longer_are_asked_for_again(admin: Visitor, path: str, settings: Settings) -> None:
    draft = hidden_fields(admin.post(path, SECRETS | {"name": ""}).text)
    before = settings(1)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15)):
        response = admin.post(path, {"name": "Pager", "address": "", "signing_secret": ""} | draft)

    assert response.status_code == 400
    assert response.text.count("What you entered here was kept for 15 minutes. Enter it again.") == 4
    assert settings(1) == before


def test_the_draft_of_another_visitor_is_of_no_use(
    admin: Visitor, seeded: SeededIds, visit: Callable[[int], Visitor]
) -> None:
    draft = hidden_fields(admin.post(NEW, SECRETS | {"name": ""}).text)

    response = visit(seeded.admin).post(NEW, {"name": "Pager", "address": "", "signing_secret": ""} | draft)

    assert response.status_code == 400


@on_both_databases
@pytest.mark.parametrize("draft", ["\x00", "a" * 43, "a" * 5000])
@pytest.mark.parametrize(("name", "status"), [("Pager", 302), ("", 400)])
def test_a_draft_that_no_page_of_ours_named_is_ignored(admin: Visitor, draft: str, name: str, status: int) -> None:
    typed = {"name": name, "address": ADDRESS, "signing_secret": SECRET}

    assert admin.post(NEW, typed | {"draft": draft, "drafted": "address"}).status_code == status


@on_both_databases
def test_a_session_that_ends_while_a_draft_is_saved_is_no_error(
    app: Flask, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_all_sessions(*_: object) -> None:
        with app.app_context():
            db.session.execute(delete(SignIn))
            db.session.commit()

    delete_draft = "webapp.views.destination_form_page.FormPage.delete_draft"  # what comes before
    monkeypatch.setattr(delete_draft, end_all_sessions)
    response = admin.post(NEW, SECRETS | {"name": ""})

    assert response.status_code == 400
    assert "is kept for 15 minutes" not in response.text
    assert hidden_fields(response.text) == {}


def test_a_form_without_secrets_leaves_no_draft(app: Flask, admin: Visitor) -> None:
    page = admin.post(NEW, {"name": "", "address": "ftp://wrong", "signing_secret": ""}).text

    assert hidden_fields(page) == {}
    assert count_drafts(app) == 0


def test_a_new_secret_is_shown_once_and_the_typed_address_is_kept(admin: Visitor, settings: Settings) -> None:
    typed = {"name": "Pager", "address": ADDRESS, "signing_secret": ""}
    page = admin.post(NEW, typed | {"generate": "signing_secret"}).text

    [value] = re.findall(r'value="(whsec_[^"]+)"', page)
    assert "Not saved" not in page
    assert "canary" not in page
    assert 'value="Pager"' in page
    admin.post(NEW, {"name": "Pager", "address": "", "signing_secret": value} | hidden_fields(page))
    assert settings(NEWEST) == {"address": ADDRESS, "signing_secret": value} | CHOSEN


def test_a_new_secret_shows_no_errors_of_fields_that_are_still_blank(admin: Visitor) -> None:
    response = admin.post(NEW, {"name": "", "address": "", "generate": "signing_secret"})

    assert response.status_code == 200
    assert 'class="error"' not in response.text


@pytest.mark.parametrize("path", [NEW, EDIT])
def test_an_invalid_secret_beside_a_new_one_is_not_forgotten_without_a_word(admin: Visitor, path: str) -> None:
    response = admin.post(path, {"name": "", "address": "ftp://canary", "generate": "signing_secret"})

    assert response.status_code == 400
    assert "Not saved: 1 field needs to be corrected" in response.text
    assert "Alertcheck never shows a secret again. Enter again: Address." in response.text
    assert "canary" not in response.text


def test_a_new_secret_replaces_an_invalid_one(admin: Visitor) -> None:
    response = admin.post(NEW, {"name": "", "address": "", "signing_secret": "wrong", "generate": "signing_secret"})

    assert response.status_code == 200
    assert 'class="error"' not in response.text


@pytest.mark.parametrize("path", [NEW, EDIT])
def test_a_secret_that_is_kept_no_longer_is_asked_for_again_beside_a_new_one(admin: Visitor, path: str) -> None:
    draft = hidden_fields(admin.post(path, {"name": "", "address": ADDRESS}).text)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15)):
        response = admin.post(path, {"name": "Pager", "address": "", "generate": "signing_secret"} | draft)

    assert response.status_code == 400
    assert "What you entered here was kept for 15 minutes. Enter it again." in response.text


def test_no_secret_is_made_for_another_field(admin: Visitor) -> None:
    assert admin.post(NEW, {"name": "Pager", "generate": "address"}).status_code == 404


def test_a_stored_signing_secret_can_be_removed(app: Flask, admin: Visitor, settings: Settings) -> None:
    assert settings(1)["signing_secret"] == SIGNING_SECRET

    admin.post(EDIT, {"name": "Ticket system", "address": "", "signing_secret": "", "remove_signing_secret": "yes"})

    assert "signing_secret" not in settings(1)
    with app.app_context():
        assert db.session.get_one(AlertDestination, 1).settings_version == 2


def test_a_form_that_cannot_read_its_settings_says_so(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        get_destination(seeded).config = "garbage"
        db.session.commit()

    assert "The stored settings can no longer be decrypted. Enter all of them again" in admin.get(EDIT).text


HEADERS = "X-Api-Key: canary-key\r\nX-Team: canary-team"
STORED_HEADERS = "X-Api-Key: canary-key\nX-Team: canary-team"
BLANK_SECRETS = dict.fromkeys(("address", "signing_secret", "headers", "basic_password", "bearer_token"), "")
BLANK = {"name": "Ticket system"} | BLANK_SECRETS
NEW_HOOK = {"name": "Pager", "address": ADDRESS}


def test_headers_are_stored_encrypted_and_their_names_shown(admin: Visitor, settings: Settings) -> None:
    page = admin.get(admin.post(NEW, NEW_HOOK | {"headers": HEADERS}).location).text

    assert settings(NEWEST)["headers"] == STORED_HEADERS
    assert "X-Api-Key, X-Team" in page
    assert "canary-" not in page


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"headers": ""}, STORED_HEADERS),
        ({}, STORED_HEADERS),
        ({"headers": "X-Other: 1"}, "X-Other: 1"),
        ({"remove_headers": "yes"}, None),
        ({"headers": "X-Other: 1", "remove_headers": "yes"}, STORED_HEADERS),
        ({"headers": "Host: x"}, STORED_HEADERS),
    ],
)
def test_stored_headers_stay_until_they_are_replaced_or_removed(
    admin: Visitor, settings: Settings, typed: dict[str, str], kept: str | None
) -> None:
    admin.post(EDIT, BLANK | {"headers": HEADERS})

    page = admin.post(EDIT, BLANK | typed)

    assert settings(1).get("headers") == kept
    assert "canary-" not in page.text + admin.get(EDIT).text


def test_typed_headers_are_kept_in_a_draft_with_their_lines(admin: Visitor, settings: Settings) -> None:
    typed = {"headers": HEADERS, "basic_user": "ann", "basic_password": "canary-word"}
    page = admin.post(NEW, NEW_HOOK | typed | {"name": ""}).text

    draft = hidden_fields(page)
    assert draft["drafted"] == "address,headers,basic_password"
    assert "canary-" not in page
    admin.post(NEW, {"name": "Pager", "address": "", "headers": "", "basic_user": "ann", "basic_password": ""} | draft)
    assert settings(NEWEST) == {
        "address": ADDRESS,
        "headers": STORED_HEADERS,
        "basic_user": "ann",
        "basic_password": "canary-word",
        **CHOSEN,
    }


BASIC = {"basic_user": "ann", "basic_password": "canary-word"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"bearer_token": "canary-token"}, "bearer_token"),
        ({"headers": "Authorization: canary-key"}, "headers"),
        ({"basic_user": ""}, "basic_user"),
        ({"remove_basic_password": "yes"}, "basic_password"),
    ],
)
def test_what_excludes_what_is_stored_is_refused_at_its_field(
    admin: Visitor, settings: Settings, typed: dict[str, str], field: str
) -> None:
    admin.post(EDIT, BLANK | BASIC)
    before = settings(1)

    response = admin.post(EDIT, BLANK | {"basic_user": "ann"} | typed)

    assert (response.status_code, settings(1)) == (400, before)
    assert re.findall(r'<p class="error" id="(\w+)-error">', response.text) == [field]
    assert "canary-" not in response.text


def test_another_server_gets_no_stored_password(admin: Visitor, settings: Settings) -> None:
    admin.post(EDIT, BLANK | BASIC)
    before = settings(1)
    elsewhere = BLANK | {"basic_user": "ann", "address": "https://elsewhere.example.com/hook"}

    response = admin.post(EDIT, elsewhere)

    assert (response.status_code, settings(1)) == (400, before)
    assert re.findall(r'<p class="error" id="(\w+)-error">', response.text) == ["basic_password"]
    assert admin.post(EDIT, elsewhere | {"basic_password": "canary-again"}).status_code == 302


def test_basic_can_be_replaced_by_a_token(admin: Visitor, settings: Settings) -> None:
    admin.post(EDIT, BLANK | BASIC)

    admin.post(EDIT, BLANK | {"basic_user": "", "remove_basic_password": "yes", "bearer_token": "canary-token"})

    found = settings(1)
    assert (found.get("basic_user"), found.get("basic_password"), found["bearer_token"]) == (None, None, "canary-token")


def test_a_form_without_the_choices_keeps_them(admin: Visitor, settings: Settings) -> None:
    admin.post(EDIT, BLANK | {"method": "PUT", "body": "grafana"})

    admin.post(EDIT, BLANK | {"headers": HEADERS})

    assert (settings(1)["method"], settings(1)["body"]) == ("PUT", "grafana")


FOLDED = '<details class="more">'
UNFOLDED = '<details class="more" open>'


def test_what_few_people_need_is_folded_away_until_it_has_a_value_or_an_error(admin: Visitor) -> None:
    typed = {"name": "Desk", "address": ADDRESS, "method": "POST", "body": "standard"}

    assert FOLDED in admin.get(NEW).text
    assert FOLDED in admin.post(NEW, typed | {"name": ""}).text
    assert UNFOLDED in admin.post(NEW, typed | {"headers": "wrong"}).text
    assert UNFOLDED in admin.post(NEW, typed | {"name": "", "headers": "X-Team: canary"}).text
    assert UNFOLDED in admin.post(NEW, typed | {"name": "", "method": "PUT"}).text
    own = admin.post(NEW, typed | {"headers": "X-Team: canary"}).location
    assert UNFOLDED in admin.get(f"{own}/edit").text
    assert FOLDED in admin.get(EDIT).text
    assert "More settings" not in admin.get("/w/harbor/destinations/new/slack").text


def fill_form(admin: Visitor) -> dict[str, str]:
    """Return what the form of the destination sends if nobody changes anything, but for the choices of a webhook."""
    page = admin.get(EDIT).text
    return dict(re.findall(r'name="(version|name|tags)"[^>]* value="([^"]*)"', page)) | {"address": ""}


@on_both_databases
def test_a_form_replaces_nothing_that_was_changed_after_it_had_been_opened(
    admin: Visitor, settings: Settings, name_of: Callable[[], str]
) -> None:
    opened = fill_form(admin)
    admin.post(EDIT, opened | {"name": "Renamed elsewhere", "address": ADDRESS})

    page = admin.post(EDIT, opened | {"tags": "night", "address": "https://hooks.example.com/older"})

    assert page.status_code == 409
    assert "Not saved: this destination was changed after you had opened this form." in page.text
    assert "What is stored now differs here: Name, Tags. Secrets are not compared." in page.text
    assert "<title>Error: Edit Renamed elsewhere" in page.text
    assert 'href="/w/harbor/destinations/1" target="_blank"' in page.text
    assert (name_of(), settings(1)["address"]) == ("Renamed elsewhere", ADDRESS)


def test_a_form_that_was_refused_as_outdated_replaces_what_is_stored_if_it_is_saved_again(
    admin: Visitor, settings: Settings
) -> None:
    opened = fill_form(admin)
    admin.post(EDIT, opened | {"address": ADDRESS})
    page = admin.post(EDIT, opened | {"address": "https://hooks.example.com/mine"}).text
    assert "Apart from secrets, which are not compared, what is stored now equals this form." in page
    again = dict(re.findall(r'name="(version)" value="([^"]+)"', page)) | hidden_fields(page)

    assert admin.post(EDIT, opened | again).status_code == 302
    assert settings(1)["address"] == "https://hooks.example.com/mine"


def test_a_default_that_is_not_stored_is_no_difference_from_an_outdated_form(
    admin: Visitor, store_settings: Callable[[dict[str, str]], None]
) -> None:
    store_settings({"address": ADDRESS})
    opened = fill_form(admin) | CHOSEN
    store_settings({"address": "https://hooks.example.com/newer"})

    page = admin.post(EDIT, opened | {"name": "Mine"})

    assert page.status_code == 409
    assert "What is stored now differs here: Name. Secrets are not compared." in page.text


@on_both_databases
def test_a_change_during_the_request_itself_is_compared_too(
    admin: Visitor, store_settings: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    store_settings({"address": ADDRESS})
    opened, change = fill_form(admin) | CHOSEN, editing.change_destination

    def change_after_another(*arguments: Any) -> bool:
        db.session.rollback()
        store_settings({"address": ADDRESS, "method": "PUT"})
        return change(*arguments)

    monkeypatch.setattr(editing, "change_destination", change_after_another)
    page = admin.post(EDIT, opened | {"address": "https://hooks.example.com/mine"})

    assert page.status_code == 409
    assert "What is stored now differs here: Method. Secrets are not compared." in page.text


@on_both_databases
def test_the_form_of_a_destination_that_was_deleted_adds_a_new_one(admin: Visitor, name_of: Callable[[], str]) -> None:
    opened = fill_form(admin)
    admin.post("/w/harbor/destinations/1/delete")

    refused = admin.post(EDIT, opened | {"name": "Siren", "tags": "night"})

    assert refused.status_code == 404
    assert "Not saved: this destination was deleted after you had opened this form." in refused.text
    assert "<title>Error: Add Webhook" in refused.text
    [action] = re.findall(r'<form class="sheet" method="post" action="([^"]+)"', refused.text)
    typed = dict(re.findall(r'name="(name|tags)"[^>]* value="([^"]*)"', refused.text))
    assert typed == {"name": "Siren", "tags": "night"}
    assert admin.post(action, typed | {"address": ADDRESS, "method": "POST"}).status_code == 302
    assert "Siren" in admin.get("/w/harbor/").text
    assert name_of() != "Siren"


def test_the_form_of_a_destination_that_is_deleted_during_the_request_itself_adds_a_new_one(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = fill_form(admin)
    monkeypatch.setattr(editing, "change_destination", Mock(side_effect=editing.DestinationGone))

    page = admin.post(EDIT, opened | {"name": "Siren"})

    assert page.status_code == 404
    assert "Not saved: this destination was deleted after you had opened this form." in page.text


def test_what_the_form_does_not_show_may_change_while_it_is_open(admin: Visitor, name_of: Callable[[], str]) -> None:
    opened = fill_form(admin)
    admin.post("/w/harbor/destinations/1/disable")

    assert admin.post(EDIT, opened | {"name": "Siren"}).status_code == 302
    assert name_of() == "Siren"


def test_a_form_with_an_error_still_knows_what_it_was_filled_with(admin: Visitor, name_of: Callable[[], str]) -> None:
    opened = fill_form(admin)
    admin.post(EDIT, opened | {"name": "Renamed elsewhere"})
    corrected = dict(re.findall(r'name="(version)" value="([^"]+)"', admin.post(EDIT, opened | {"name": ""}).text))

    assert admin.post(EDIT, opened | corrected | {"name": "Mine"}).status_code == 409
    assert name_of() == "Renamed elsewhere"


def test_a_form_that_is_submitted_twice_is_saved(admin: Visitor, settings: Settings) -> None:
    typed = fill_form(admin) | {"name": "Siren", "tags": "night", "address": ADDRESS}

    assert [admin.post(EDIT, typed).status_code for _ in range(2)] == [302, 302]
    assert settings(1)["address"] == ADDRESS


@on_both_databases
def test_a_form_that_guesses_the_next_version_gets_no_secret_that_is_stored_meanwhile(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, admin: Visitor, settings: Settings
) -> None:
    stored = {"address": ADDRESS, "headers": "X-Key: canary"}
    responses = []

    def store_secret() -> None:
        destination = get_destination(seeded)
        lock_destination(destination)
        destination.config = app_settings.cipher.encrypt(stored, context=destination.encryption_context)
        destination.settings_version += 1

    with app.app_context():
        now = get_destination(seeded)
        next_version = find_version(AlertDestination(name=now.name, tags=now.tags, settings_version=2))
    elsewhere = BLANK | {"address": "https://elsewhere.example.com/hook", "version": next_version}
    failed = run_overlapping(app, store_secret, lambda: responses.append(admin.post(EDIT, elsewhere).status_code))

    assert (failed, responses, settings(1)) == ([None, None], [409], stored)
