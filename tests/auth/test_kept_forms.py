"""What was typed is kept for one account and an hour, readable and changeable by nobody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.factories import NOW
from webapp.app_state import current_settings
from webapp.auth.kept_forms import LIFETIME, MAX_LENGTH, KeptForm, keep_form, read_kept_form

pytestmark = pytest.mark.usefixtures("context")

FORM = KeptForm(
    "/w/harbor/destinations/new/email", {"name": "Überseehafen 🚢", "recipients": "ann@example.com\nbob@x.org"}
)
MOMENT = timedelta(seconds=1)


def _keep(form: KeptForm = FORM) -> str:
    text = keep_form(form, "ann", NOW)
    assert text
    return text


def test_the_same_account_gets_back_what_was_typed() -> None:
    assert read_kept_form(_keep(), "ann", NOW) == FORM


def test_another_account_gets_nothing() -> None:
    assert read_kept_form(_keep(), "bob", NOW) is None


@pytest.mark.parametrize(
    ("age", "is_kept"), [(LIFETIME, True), (LIFETIME + MOMENT, False), (-LIFETIME - MOMENT, False)]
)
def test_it_is_kept_for_an_hour(age: timedelta, is_kept: bool) -> None:
    assert (read_kept_form(_keep(), "ann", NOW + age) is not None) is is_kept


def test_nothing_that_was_typed_can_be_read_from_it() -> None:
    assert "Hidden" not in _keep(replace(FORM, values={"name": "Hidden"}))


@pytest.mark.parametrize("text", ["", "x", "é", "gAAAAA" * 9, "\x00", "a" * 70_000])
def test_garbage_is_nothing(text: str) -> None:
    assert read_kept_form(text, "ann", NOW) is None


def test_a_changed_one_is_nothing() -> None:
    text = _keep()

    assert read_kept_form(text[:40] + ("A" if text[40] != "A" else "B") + text[41:], "ann", NOW) is None


def test_settings_of_a_destination_are_not_taken_for_a_form() -> None:
    settings = current_settings().cipher.encrypt({"address": "https://x.example"}, context="workspace 1 destination 1")

    assert read_kept_form(settings, "ann", NOW) is None


def test_what_is_too_long_is_not_kept() -> None:
    assert keep_form(replace(FORM, values={"name": "n" * MAX_LENGTH}), "ann", NOW) is None


def test_the_longest_form_that_can_be_saved_is_kept() -> None:
    recipients = ", ".join(f"{number:02}{'ü' * 62}@{'d' * 63}.{'e' * 63}.{'f' * 59}" for number in range(20))

    form = replace(FORM, values={"name": "🚢" * 200, "recipients": recipients})

    assert read_kept_form(_keep(form), "ann", NOW) == form
