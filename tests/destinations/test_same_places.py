"""A second destination to the same place gets a warning, by what is the same, not by how it was written."""

import pytest

from tests.factories import NOW, SeededIds, get_account, get_workspace
from webapp.audit import COMMAND_LINE
from webapp.destinations.editing import add_destination, delete_destination
from webapp.destinations.same_places import find_place_warning
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import AppSettings
from webapp.workspaces.workspace_changes import open_workspace

ADDRESS = {"address": "https://hooks.example.com/one?token=canary"}


def add(seeded: SeededIds, app_settings: AppSettings, name: str, channel: str, **settings: str) -> AlertDestination:
    workspace, account = get_workspace(seeded), get_account(seeded)
    return add_destination(workspace, account, channel, name, settings, app_settings.cipher, NOW)


@pytest.mark.parametrize(
    ("channel", "first", "second", "is_same"),
    [
        ("webhook", ADDRESS, ADDRESS, True),
        ("webhook", ADDRESS, {**ADDRESS, "signing_secret": "whsec_x"}, True),
        ("webhook", ADDRESS, {"address": "https://hooks.example.com/two"}, False),
        (
            "email",
            {"recipients": "ann@a.example, Bob@A.example"},
            {"recipients": "bob@a.example\nann@a.example"},
            True,
        ),
        ("email", {"recipients": "ann@a.example"}, {"recipients": "ann@a.example, bob@a.example"}, False),
    ],
)
def test_the_same_place_is_found(
    context: None,
    seeded: SeededIds,
    app_settings: AppSettings,
    channel: str,
    first: dict[str, str],
    second: dict[str, str],
    is_same: bool,
) -> None:
    add(seeded, app_settings, "The first", channel, **first)
    warning = find_place_warning(
        add(seeded, app_settings, "The second", channel, **second), app_settings.cipher, app_settings.outbound
    )

    assert (warning is not None) is is_same
    if warning is not None:
        assert warning.endswith("sends to the same place: “The first”.")
        assert "canary" not in warning


def test_many_are_named_and_counted(context: None, seeded: SeededIds, app_settings: AppSettings) -> None:
    for number in range(5):
        add(seeded, app_settings, f"Number {number}", "webhook", **ADDRESS)
    newest = add(seeded, app_settings, "Newest", "webhook", **ADDRESS)

    warning = find_place_warning(newest, app_settings.cipher, app_settings.outbound)
    assert warning is not None
    assert warning.endswith("“Number 0”, “Number 1”, “Number 2” and 2 more.")


def test_deleted_ones_unreadable_ones_and_those_of_other_workspaces_do_not_count(
    context: None, seeded: SeededIds, app_settings: AppSettings
) -> None:
    delete_destination(add(seeded, app_settings, "Deleted", "webhook", **ADDRESS), get_account(seeded), NOW)
    add(seeded, app_settings, "Unreadable", "webhook", **ADDRESS).config = "garbage"
    db.session.commit()
    elsewhere = open_workspace("yard", "Yard", NOW, COMMAND_LINE)
    add_destination(elsewhere, get_account(seeded), "webhook", "Elsewhere", ADDRESS, app_settings.cipher, NOW)

    newest = add(seeded, app_settings, "Newest", "webhook", **ADDRESS)
    assert find_place_warning(newest, app_settings.cipher, app_settings.outbound) is None
