"""Notifications of ntfy and Pushover."""

import json

from webapp.demo.receiver.messages.notifications import Notification, parse_ntfy, parse_pushover

SEE = "https://a.b/c?d=e"


def test_a_notification_of_ntfy_has_its_priority_tags_and_links() -> None:
    action = {"action": "view", "label": "I see it", "url": SEE}
    message = {"topic": "t", "title": "T", "message": "M", "priority": 4, "tags": ["warning", 1], "actions": [action]}
    links = (("Open", SEE), ("I see it", SEE))
    expected = Notification("ntfy", "T", "M", "High priority", ("warning",), links)
    assert parse_ntfy(json.dumps(message | {"click": SEE})) == expected


def test_a_notification_of_pushover_has_its_priority_and_link() -> None:
    fields = {"token": "t", "user": "u", "title": "T", "message": "M & m", "priority": -1, "url": SEE}
    expected = Notification("pushover", "T", "M & m", "Low priority", links=(("I see it", SEE),))
    assert parse_pushover(json.dumps(fields | {"url_title": "I see it"})) == expected


def test_a_notification_of_pushover_may_be_json() -> None:
    fields = {"token": "t", "user": "u", "title": "T", "message": "M & m", "priority": 0, "url": SEE}
    expected = Notification("pushover", "T", "M & m", links=(("I see it", SEE),))
    assert parse_pushover(json.dumps(fields | {"url_title": "I see it"})) == expected


def test_a_link_without_words_is_shown_as_its_address() -> None:
    parsed = parse_pushover(json.dumps({"message": "M", "url": SEE}))
    assert parsed
    assert parsed.links == ((SEE, SEE),)
