"""The export has no secret, and what it exports can be imported again, whatever it is called."""

from typing import Any

import pytest
import yaml
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import NOW, SIGNING_SECRET, SeededIds, get_account, get_workspace, on_both_databases
from webapp.destinations.editing import add_destination, delete_destination, set_enabled
from webapp.imports.export import write_export
from webapp.imports.file_contents import FileFormat
from webapp.imports.format_recognition import read_file
from webapp.models import AlertDestination, DrillChoice
from webapp.settings import AppSettings
from webapp.text.names import MAX_NAME_LENGTH, clean_name

ADDRESS = "https://hooks.example.com/canary"
AWKWARD = (
    *("yes", "No", "null", "~", "012", "1e3", "0x1F", "1_000", "12:30:45", "2026-11-29", ".inf", "=", "<<", "- x"),
    *("a: b", "# no comment", "&anchor", "*alias", "!tag", "| x", "> x", "%TAG", "@x", "`x`", '"quoted"', "'quoted'"),
    *(
        "{a: 1}",
        "[a]",
        "---",
        "...",
        "a\\nb",
        "tab\\there",
        "🔔 bell",
        "👩‍🚒 team",
        "שלום",
        "日本語",
        "é",
        "x" * MAX_NAME_LENGTH,
    ),
)


@pytest.fixture
def add(context: None, seeded: SeededIds, app_settings: AppSettings) -> Any:
    """Add a destination to the harbor."""

    def add(name: str, channel: str = "webhook", **values: str) -> AlertDestination:
        values = values or {"address": ADDRESS, "signing_secret": SIGNING_SECRET}
        workspace, account = get_workspace(seeded), get_account(seeded)
        return add_destination(workspace, account, channel, name, values, app_settings.cipher, NOW)

    return add


@pytest.fixture
def export(context: None, seeded: SeededIds, app_settings: AppSettings) -> Any:
    return lambda: write_export(get_workspace(seeded), app_settings.cipher)


@on_both_databases
def test_a_destination_is_exported_without_its_secrets(add: Any, export: Any, seeded: SeededIds) -> None:
    add("Mail", "email", recipients="a@example.com, b@example.com")
    set_enabled(add("Chat"), get_account(seeded), False, NOW)

    text = export()
    content = yaml.safe_load(text)

    assert content["alertcheck"] == 1
    assert content["destinations"][1:] == [
        {
            "name": "Mail",
            "type": "email",
            "enabled": True,
            "settings": {"recipients": "a@example.com, b@example.com"},
            "needs": [],
        },
        {
            "name": "Chat",
            "type": "webhook",
            "enabled": False,
            "host": "hooks.example.com",
            "settings": {},
            "needs": ["address", "signing_secret"],
        },
    ]
    assert "canary" not in text
    assert SIGNING_SECRET not in text


def test_a_deleted_destination_is_not_exported(add: Any, export: Any, seeded: SeededIds) -> None:
    delete_destination(add("Old"), get_account(seeded), NOW)

    assert "Old" not in export()


def test_a_destination_that_this_version_does_not_know_is_exported_without_settings(add: Any, export: Any) -> None:
    add("Coop").type = "pigeon"

    assert yaml.safe_load(export())["destinations"][-1] == {"name": "Coop", "type": "pigeon", "enabled": True}


def test_settings_that_cannot_be_decrypted_are_needed(add: Any, export: Any) -> None:
    add("Lost").config = "nothing"

    assert yaml.safe_load(export())["destinations"][-1] == {
        "name": "Lost",
        "type": "webhook",
        "enabled": True,
        "settings": {},
        "needs": ["address"],
    }


def test_what_is_exported_can_be_imported_again(add: Any, export: Any, seeded: SeededIds) -> None:
    add("Mail", "email", recipients="a@example.com, b@example.com").tags = "eu,night shift"
    set_enabled(add("Chat"), get_account(seeded), False, NOW)

    found = read_file(export())

    _, mail, chat = found.receivers
    assert found.format is FileFormat.ALERTCHECK
    assert (mail.name, mail.channel, mail.is_enabled, mail.tags) == ("Mail", "email", True, ("eu", "night shift"))
    assert (mail.settings, mail.missing) == ({"recipients": "a@example.com, b@example.com"}, frozenset())
    assert (chat.name, chat.channel, chat.is_enabled) == ("Chat", "webhook", False)
    assert (dict(chat.settings), chat.dropped) == ({}, ())
    assert chat.missing == frozenset({"address", "signing_secret"})


def test_drills_come_back_the_same(add: Any, export: Any) -> None:
    pager = add("Pager", "pagerduty", routing_key="0123456789abcdef0123456789abcdef")
    pager.drill_choice, pager.drills_may_page, pager.needs_confirmation = DrillChoice.MONTHLY, True, True

    exported, found = yaml.safe_load(export())["destinations"][-1], read_file(export()).receivers[-1]

    assert [exported[key] for key in ("drills", "drills_may_page", "needs_confirmation")] == ["monthly", True, True]
    assert (found.drills, found.dropped) == ((DrillChoice.MONTHLY, True, True), ())


@pytest.mark.parametrize("name", AWKWARD)
def test_a_name_that_looks_like_yaml_comes_back_the_same(add: Any, export: Any, name: str) -> None:
    stored = add(name).name

    assert read_file(export()).receivers[-1].name == stored


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=MAX_NAME_LENGTH))
def test_every_name_comes_back_the_same(app: Flask, add: Any, export: Any, text: str) -> None:
    name = clean_name(clean_name(text)[:MAX_NAME_LENGTH]) or "x"
    destination = add("Named")
    destination.name = name

    assert read_file(export()).receivers[-1].name == name
