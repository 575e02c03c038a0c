"""Tests how our own export is read."""

import pytest

from tests.imports.files import read, read_one
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundDrills

EXPORT = """
# Destinations of Alertcheck, without secrets.
alertcheck: 1
destinations:
  - name: Quay
    type: slack
    enabled: true
    host: hooks.slack.com
    settings: {}
    needs: [address]
  - name: Night desk
    type: email
    enabled: false
    settings: {recipients: "night@harbor.example, day@harbor.example", omit_auto_submitted: 'yes'}
    needs: []
  - name: Bot
    type: telegram
    enabled: true
    settings: {chat_id: '-100123', server: https://api.telegram.org}
    needs: [bot_token]
    tags: [EU, night shift]
"""


def test_destinations_keep_their_names_settings_and_states() -> None:
    found = read(EXPORT)
    assert found.format is FileFormat.ALERTCHECK
    assert [(each.name, each.channel, each.is_enabled) for each in found.receivers] == [
        ("Quay", "slack", True),
        ("Night desk", "email", False),
        ("Bot", "telegram", True),
    ]
    assert found.receivers[1].settings == {
        "recipients": "night@harbor.example, day@harbor.example",
        "omit_auto_submitted": "yes",
    }


def test_tags_are_kept_and_too_many_are_left_out() -> None:
    many = ", ".join(f"t{number}" for number in range(11))
    found = read_one(f"alertcheck: 1\ndestinations: [{{name: A, type: slack, tags: [{many}]}}]")

    assert [each.tags for each in read(EXPORT).receivers] == [(), (), ("eu", "night shift")]
    assert (found.tags, found.dropped) == ((), ("Its tags are left out. A destination has at most 10 tags.",))


def test_what_a_destination_needs_is_missing() -> None:
    assert [each.missing for each in read(EXPORT).receivers] == [{"address"}, frozenset(), {"bot_token"}]


@pytest.mark.parametrize("text", ["alertcheck: 2", "alertcheck:", "alertcheck: [1]", "alertcheck: '1.0'"])
def test_another_version_is_refused(text: str) -> None:
    with pytest.raises(FileUnreadable, match="another version"):
        read(text)


@pytest.mark.parametrize("destination", ["{}", "{name: [a], type: {b: c}, settings: [d], needs: e, enabled: null}"])
def test_shapes_that_are_no_destination_raise_nothing(destination: str) -> None:
    found = read_one(f"alertcheck: 1\ndestinations: [{destination}]")
    assert (found.name, found.channel, found.settings, found.missing) == ("Destination 1", None, {}, frozenset())


def test_an_export_of_nothing_is_empty() -> None:
    assert read("alertcheck: 1\ndestinations: []").receivers == ()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            "drills: daily",
            "drills is left out: it has to be follow, skip, weekly, monthly, quarterly.",
        ),
        ("needs_confirmation: maybe", "needs_confirmation is left out: it has to be true or false."),
        ("drills_may_page: 2", "drills_may_page is left out: it has to be true or false."),
        ("color: red", "Left out: color. This version of Alertcheck does not know it."),
    ],
)
def test_a_value_or_a_key_that_is_not_known_is_left_out_and_said_so(keys: str, sentence: str) -> None:
    found = read_one(f"alertcheck: 1\ndestinations: [{{name: A, type: slack, {keys}}}]")

    assert (found.drills, found.dropped) == (FoundDrills(), (sentence,))
