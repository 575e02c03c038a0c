"""Parsing an Adaptive Card."""

from typing import Any

import pytest

from webapp.demo.receiver.messages.adaptive_cards import Button, Card, CardFacts, Text, UnsupportedElement, parse_card


def message(*body: Any, **content: Any) -> dict[str, Any]:
    card = {"type": "AdaptiveCard", "version": "1.2", "body": list(body), **content}
    return {"type": "message", "attachments": [{"content": card}]}


def test_a_text_keeps_its_size_weight_and_subtlety() -> None:
    block = {"type": "TextBlock", "text": "Hello", "size": "Large", "weight": "Bolder", "isSubtle": True}
    assert parse_card(message(block)) == Card((Text("Hello", large=True, strong=True, subtle=True),))


def test_facts_are_pairs_of_title_and_value() -> None:
    block = {"type": "FactSet", "facts": [{"title": "Reference", "value": "AC-1"}, {"title": "Alone"}]}
    assert parse_card(message(block)) == Card((CardFacts((("Reference", "AC-1"), ("Alone", ""))),))


def test_containers_and_columns_are_drawn_in_order() -> None:
    columns = {"type": "ColumnSet", "columns": [{"type": "Column", "items": [{"type": "TextBlock", "text": "second"}]}]}
    container = {"type": "Container", "items": [{"type": "TextBlock", "text": "first"}, columns]}
    assert parse_card(message(container)) == Card((Text("first"), Text("second")))


def test_an_unsupported_element_is_named() -> None:
    card = parse_card(message({"type": "Image"}, {}, actions=[{"type": "Action.Submit"}]))
    assert card == Card(
        (UnsupportedElement("Image"), UnsupportedElement("unknown element"), UnsupportedElement("Action.Submit"))
    )


def test_a_button_has_its_title_and_where_it_leads() -> None:
    button = {"type": "Action.OpenUrl", "title": "I see it", "url": "https://alertcheck.example.com/seen/x"}
    assert parse_card(message(actions=[button])) == Card((Button("I see it", "https://alertcheck.example.com/seen/x"),))


def test_a_card_nested_too_deeply_is_cut() -> None:
    endless: dict[str, Any] = {"type": "Container"}
    endless["items"] = [endless]
    assert parse_card(message(endless)) == Card(())


def test_a_lone_surrogate_is_replaced() -> None:
    assert parse_card(message({"type": "TextBlock", "text": "\ud800"})) == Card((Text("?"),))


@pytest.mark.parametrize(
    "strange",
    [None, [], "card", {}, {"attachments": 1}, {"attachments": [1, {"content": []}, {"content": {"type": "Other"}}]}],
)
def test_a_message_without_a_card_is_not_parsed(strange: Any) -> None:
    assert parse_card(strange) is None
