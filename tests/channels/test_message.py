"""What a message says, whatever channel it is sent over."""

from dataclasses import replace

from webapp.channels.message import Message


def test_a_message_shows_its_press_time_in_utc(message: Message) -> None:
    assert message.facts["Sent at"] == "2026-11-03 08:35:06 UTC"


def test_a_message_keeps_every_name_on_one_line_within_limits(message: Message) -> None:
    facts = replace(message, workspace=" Acme\r\n\x00 GmbH\u2028", requested_by="x" * 1000).facts
    assert facts["Workspace"] == "Acme GmbH"
    assert facts["Sent by"] == "x" * 200


def test_short_names_are_cut_with_an_ellipsis_and_others_stay(message: Message) -> None:
    long = replace(message, workspace="x" * 11, destination="y" * 10, requested_by=" z\n" * 9, alert="w" * 12)
    short = long.with_short_names(10)
    assert (short.workspace, short.destination, short.alert) == ("x" * 9 + "…", "y" * 10, "w" * 9 + "…")
    assert short.requested_by == "z z z z z…"
    assert message.with_short_names(10).alert is None
