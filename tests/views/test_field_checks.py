"""Field checks on blur: the same rules as saving, without repeating or storing the value."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.factories import SIGNING_SECRET, SeededIds, get_destination
from tests.visitor import Visitor
from webapp.channels import CHANNELS
from webapp.channels.fields import FieldKind
from webapp.destinations.same_names import WARNING
from webapp.extensions import db
from webapp.models import AlertDestination

Visit = Callable[[int], Visitor]

NEW = "/w/harbor/destinations/new"
OWN = "/w/harbor/destinations/1"

# A box needs no check while it is ticked.
FIELDS = [
    (name, field.name)
    for name, channel in CHANNELS.items()
    for field in channel.fields
    if field.kind is not FieldKind.FLAG
]

# A server that is left blank is the usual one, which can be saved.
WITH_DEFAULT = {
    (name, field.name)
    for name, channel in CHANNELS.items()
    for field in channel.fields
    if field.kind is FieldKind.SERVER and field.default
}


@pytest.fixture
def admin(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.admin)


@pytest.fixture
def shared_admin(shared: Callable[[str], tuple[Flask, SeededIds]]) -> Visitor:
    """An admin of an application that the tests of this module share, which save nothing there."""
    app, seeded = shared("sqlite")
    return Visitor.signed_in(app, seeded.admin)


def _sentences(fragment: str) -> list[str]:
    return re.findall(r"<p[^>]*>(?:<span[^>]*>.</span> )?([^<]+)</p>", fragment)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_field_of_a_form_is_checked_when_it_loses_the_focus(admin: Visitor, channel: str) -> None:
    page = admin.get(f"{NEW}/{channel}").text

    names = ["name", *(name for channel_name, name in FIELDS if channel_name == channel), "tags"]
    assert re.findall(rf'hx-post="{NEW}/{channel}/check/(\w+)" hx-trigger="change', page) == names
    checked = re.findall(r'id="(\w+)-check" aria-live="polite"', page)
    assert [name for name in checked if name in names] == names


def test_the_fields_of_an_edit_are_checked_at_its_own_url(admin: Visitor) -> None:
    assert f'hx-post="{OWN}/check/signing_secret"' in admin.get(f"{OWN}/edit").text


@pytest.mark.parametrize(("channel", "field"), [("webhook", "name"), ("webhook", "tags"), *FIELDS])
@pytest.mark.parametrize("typed", ["", "canary <", "http://canary.example/x", "n" * 201])
def test_a_check_returns_the_sentence_that_saving_would(
    shared_admin: Visitor, channel: str, field: str, typed: str
) -> None:
    page = shared_admin.post(f"{NEW}/{channel}", {field: typed}).text
    saved = re.findall(rf'<p class="error" id="{field}-error">([^<]+)</p>', page)

    checked = shared_admin.post(f"{NEW}/{channel}/check/{field}", {field: typed})

    assert checked.status_code == 200
    assert _sentences(checked.text) == (saved or ["Can be saved."] * bool(typed or (channel, field) in WITH_DEFAULT))


PASTED = [
    ("webhook", "<https://alerts.acme.com/canary?a=1&amp;b=2>."),
    ("webhook", "\u200balerts.acme.com?canary=1\ufeff"),
    ("slack", "curl -d x https://hooks.slack.com/services/T/B/canary"),
    ("teams", "`https://prod-08.westeurope.logic.azure.com:443/x?api-version=1&amp;sp=x&amp;sig=canary`"),
]
REFUSED = [
    ("teams", "https://hooks.slack.com/services/T/B/canary", "Add a destination of type Slack instead."),
    ("webhook", "https://prod-08.westeurope.logic.azure.com/x?sig=canary", "of type Microsoft Teams instead."),
    ("webhook", "https://ann:canary@alerts.acme.com/", "does not support credentials in an address"),
    ("slack", "http://192.168.0.214:8080/canary", "add http://192.168.0.214:8080 to ALERTCHECK_TRUSTED_ORIGINS."),
]


@pytest.mark.parametrize(("channel", "typed"), PASTED)
def test_a_check_cleans_what_was_pasted_as_saving_does(admin: Visitor, channel: str, typed: str) -> None:
    checked = admin.post(f"{NEW}/{channel}/check/address", {"address": typed})
    saved = admin.post(f"{NEW}/{channel}", {"name": "n", "address": typed, "signing_secret": f" `{SIGNING_SECRET}` "})

    assert _sentences(checked.text) == ["Can be saved."]
    assert saved.status_code == 302


@pytest.mark.parametrize(("channel", "typed", "advice"), REFUSED)
def test_a_check_and_saving_refuse_an_address_with_the_same_advice(
    admin: Visitor, channel: str, typed: str, advice: str
) -> None:
    checked = admin.post(f"{NEW}/{channel}/check/address", {"address": typed}).text
    saved = admin.post(f"{NEW}/{channel}", {"name": "n", "address": typed}).text

    assert advice in checked
    assert advice in saved
    assert "canary" not in checked + saved


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("address", "https://canary.example.com/x"),
        ("signing_secret", SIGNING_SECRET),
        ("address", "ftp://canary.example"),
    ],
)
def test_a_typed_value_is_neither_in_the_response_nor_in_the_log(
    admin: Visitor, caplog: pytest.LogCaptureFixture, field: str, typed: str
) -> None:
    caplog.set_level(logging.DEBUG)

    response = admin.post(f"{NEW}/webhook/check/{field}", {field: typed})

    assert typed not in response.text + str(response.headers) + caplog.text
    assert "canary" not in response.text + str(response.headers) + caplog.text


def test_a_check_covers_its_own_field_only(admin: Visitor) -> None:
    response = admin.post(f"{NEW}/webhook/check/name", {"name": "Pager", "address": "wrong", "signing_secret": ""})

    assert _sentences(response.text) == ["Can be saved."]


def test_a_check_stores_nothing(app: Flask, admin: Visitor) -> None:
    admin.post(f"{NEW}/webhook/check/name", {"name": "Pager"})
    admin.post(f"{OWN}/check/name", {"name": "Renamed"})

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AlertDestination)) == 2
        assert db.session.get_one(AlertDestination, 1).name == "Ticket system"


def test_a_blank_stored_secret_is_valid_and_gets_no_sentence(admin: Visitor) -> None:
    assert _sentences(admin.post(f"{OWN}/check/signing_secret", {"signing_secret": ""}).text) == []


def test_a_blank_new_address_is_required(admin: Visitor) -> None:
    said = _sentences(admin.post(f"{NEW}/webhook/check/address", {"address": ""}).text)

    assert said == ["Enter the address."]


def test_unreadable_stored_settings_are_required_again(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        get_destination(seeded).config = "garbage"
        db.session.commit()

    assert _sentences(admin.post(f"{OWN}/check/address", {"address": ""}).text) == ["Enter the address."]


CANARY = {"name": "", "address": "https://hooks.example.com/canary", "signing_secret": "whsec_canary"}


@pytest.mark.parametrize("path", [f"{NEW}/webhook/check", f"{OWN}/check"])
def test_the_check_of_a_form_returns_every_fields_message_and_nothing_that_was_typed(admin: Visitor, path: str) -> None:
    response = admin.post(path, CANARY)

    assert response.status_code == 200
    assert "Not saved: 2 fields need to be corrected" in response.text
    assert re.findall(r'id="(\w+)-check" aria-live="polite" hx-swap-oob', response.text) == [
        "name",
        "address",
        "signing_secret",
        "headers",
        "basic_user",
        "basic_password",
        "bearer_token",
        "method",
        "body",
        "tags",
    ]
    assert "canary" not in response.text
    assert "<input" not in response.text


@pytest.mark.parametrize("path", [f"{NEW}/webhook/check", f"{OWN}/check"])
def test_the_check_of_a_form_that_can_be_saved_returns_nothing_and_saves_nothing(
    app: Flask, admin: Visitor, path: str
) -> None:
    typed = {"name": "Pager", "address": "https://hooks.example.com/canary", "signing_secret": ""}

    assert (admin.post(path, typed).status_code, admin.post(path, typed).text) == (204, "")
    with app.app_context():
        assert db.session.get_one(AlertDestination, 1).name == "Ticket system"


def test_each_new_secret_can_be_saved_and_is_another(admin: Visitor) -> None:
    pages = [admin.post(f"{NEW}/webhook/new-signing_secret").text for _ in range(2)]
    values = [re.findall(r'value="(whsec_[^"]+)"', page)[0] for page in pages]

    assert values[0] != values[1]
    assert _sentences(admin.post(f"{NEW}/webhook/check/signing_secret", {"signing_secret": values[0]}).text) == [
        "Can be saved."
    ]


@pytest.mark.parametrize("field", ["webhook/new-address", "teams/generate/address", "pigeon/generate/x"])
def test_no_secret_is_made_for_a_field_whose_value_comes_from_the_receiver(admin: Visitor, field: str) -> None:
    assert admin.post(f"{NEW}/{field}").status_code == 404


@pytest.mark.parametrize("field", ["pigeon", "csrf_token", "recipients", "_fields", "data"])
def test_a_check_of_an_unknown_field_returns_404(admin: Visitor, field: str) -> None:
    assert admin.post(f"{NEW}/webhook/check/{field}", {"name": "any"}).status_code == 404


def test_a_name_that_is_taken_can_be_saved_with_a_warning(admin: Visitor) -> None:
    checked = admin.post(f"{NEW}/webhook/check/name", {"name": "ticket system"})

    assert _sentences(checked.text) == ["Can be saved.", WARNING]


def test_the_own_name_of_a_destination_is_not_warned_of(admin: Visitor) -> None:
    checked = admin.post(f"{OWN}/check/name", {"name": "Ticket system"})

    assert _sentences(checked.text) == ["Can be saved."]


def test_a_destination_that_is_added_with_a_taken_name_is_added_and_warned_of(admin: Visitor) -> None:
    typed = {"name": "Ticket system", "address": "https://hooks.example.com/x", "signing_secret": SIGNING_SECRET}

    page = admin.get(admin.post(f"{NEW}/webhook", typed).location).text

    assert "was added" in page
    assert WARNING in page


DRAFTED = {"name": "Pager", "address": "", "signing_secret": ""}


def _make_draft(admin: Visitor, form: str) -> dict[str, str]:
    page = admin.post(form, {"name": "", "address": "https://hooks.example.com/canary"}).text
    return dict(re.findall(r'<input type="hidden" name="(draft|drafted)" value="([^"]+)">', page))


@pytest.mark.parametrize(("form", "checks"), [(f"{NEW}/webhook", f"{NEW}/webhook"), (f"{OWN}/edit", OWN)])
def test_a_check_takes_what_the_forms_draft_keeps(admin: Visitor, form: str, checks: str) -> None:
    draft = _make_draft(admin, form)

    assert admin.post(f"{checks}/check", DRAFTED | draft).status_code == 204
    assert _sentences(admin.post(f"{checks}/check/address", DRAFTED | draft).text) == ["Can be saved."]
    assert admin.post(form, DRAFTED | draft).status_code == 302


@pytest.mark.parametrize(("form", "checks"), [(f"{NEW}/webhook", f"{NEW}/webhook"), (f"{OWN}/edit", OWN)])
def test_a_check_misses_what_is_kept_no_longer(admin: Visitor, form: str, checks: str) -> None:
    draft = _make_draft(admin, form)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15)):
        response = admin.post(f"{checks}/check", DRAFTED | draft)

    assert "What you entered here was kept for 15 minutes. Enter it again." in response.text


def test_the_draft_of_another_form_is_of_no_use_to_a_check(admin: Visitor) -> None:
    draft = _make_draft(admin, f"{OWN}/edit")

    assert admin.post(f"{NEW}/webhook/check", DRAFTED | draft).status_code == 200
