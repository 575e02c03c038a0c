"""What a notice says at a glance: how many destinations have which problem, and which destinations they are."""

import json
from datetime import UTC, datetime

import pytest

from tests.channels.valid_settings import VALID_SETTINGS
from webapp.channels import CHANNELS
from webapp.channels.message import NOTICE_EVENT, Message
from webapp.models import AlertDestination, DestinationProblem, NoticeKind, ProblemKind
from webapp.notices.headline import MAX_NAME, Item, describe_headline, name_destinations
from webapp.outbound import OutboundClient, Policy

OPENED, REMINDER, RECOVERED = NoticeKind.OPENED, NoticeKind.REMINDER, NoticeKind.RECOVERED


def make_item(
    number: int, kind: NoticeKind = OPENED, problem: ProblemKind = ProblemKind.FAILING, name: str | None = None
) -> Item:
    destination = AlertDestination(id=number, name=name or f"Place {number}")
    return kind, DestinationProblem(alert_destination_id=number, kind=problem), destination


def test_five_destinations_are_named_and_the_others_counted() -> None:
    five = [make_item(number) for number in range(1, 6)]
    names = "“Place 1”, “Place 2”, “Place 3”, “Place 4”, “Place 5”"

    assert name_destinations(five) == names
    assert name_destinations([*five, make_item(6), make_item(7)]) == f"{names} and 2 more"


def test_the_names_are_in_the_order_of_the_headline_and_those_that_work_again_are_marked() -> None:
    items = [
        make_item(1, problem=ProblemKind.UNCONFIRMED),
        make_item(2, RECOVERED),
        make_item(3, REMINDER),
        make_item(4),
    ]
    expected = (
        "1 destination stopped working, 1 destination still fails, 1 destination works again, 1 destination to confirm"
    )

    assert describe_headline(items) == expected
    assert name_destinations(items) == "“Place 4”, “Place 3”, “Place 2” (works again), “Place 1”"


def test_a_destination_with_two_problems_is_named_once() -> None:
    items = [make_item(1), make_item(1, problem=ProblemKind.MISSING), make_item(1, problem=ProblemKind.UNCONFIRMED)]

    assert name_destinations(items) == "“Place 1”"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * (MAX_NAME + 1), f"“{'x' * (MAX_NAME - 1)}…”"),
        ("a”, “b\r\nX: y", "“a', 'b X: y”"),
        ("שלום", "\u2068“שלום”\u2069"),
    ],
)
def test_a_name_cannot_be_mistaken_for_the_words_around_it(name: str, shown: str) -> None:
    assert name_destinations([make_item(1, name=name)]) == shown


def make_message(name: str, about: str) -> Message:
    return Message(
        event_type=NOTICE_EVENT,
        message_id="msg_notice_1",
        reference="notice 1",
        workspace=name,
        destination=name,
        requested_by="Alertcheck",
        requested_at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
        alert=describe_headline([make_item(1), make_item(2, REMINDER), make_item(3, RECOVERED)]),
        about=about,
    )


@pytest.mark.parametrize("character", ["*", ".", "x"])
@pytest.mark.parametrize(("channel", "key", "limit"), [("discord", "content", 2000), ("pushover", "message", 1024)])
def test_the_longest_names_fit_into_the_shortest_messages(channel: str, key: str, limit: int, character: str) -> None:
    items = [make_item(number, RECOVERED, name=character * 200) for number in range(1, 100)]
    message = make_message(character * 200, name_destinations(items))

    preview = CHANNELS[channel].preview(VALID_SETTINGS[channel], message, OutboundClient(Policy()))

    text = json.loads(preview.parts[0].text)[key]
    assert "and 94 more" in text
    assert len(text) <= limit


# Email needs a mail server. Its facts are those of every message.
@pytest.mark.parametrize("channel", sorted(CHANNELS.keys() - {"email"}))
def test_every_channel_says_which_destinations_and_makes_no_link_of_a_name(channel: str) -> None:
    message = make_message("Harbor", name_destinations([make_item(1, name="Quay"), make_item(2, name="<b>@here</b>")]))

    preview = CHANNELS[channel].preview(VALID_SETTINGS[channel], message, OutboundClient(Policy()))

    assert all("Quay" in part.text for part in preview.parts)
