"""A stored secret goes to no other server than the one it was entered for: it would be read there."""

import pytest

from webapp.channels import CHANNELS
from webapp.destinations.misdirected_secrets import find_misdirected

WEBHOOK = {
    "address": "https://hooks.example.com/one",
    "signing_secret": "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
    "headers": "X-Key: canary",
    "basic_user": "ann",
    "basic_password": "canary",
}
NTFY = {"topic": "canary", "token": "tk_canary"}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("", set()),
        ("https://hooks.example.com/one", set()),
        ("https://hooks.example.com/two?key=1", set()),
        ("https://hooks.example.com:8443/one", {"headers", "basic_password"}),
        ("http://hooks.example.com/one", {"headers", "basic_password"}),
        ("https://example.com/one", {"headers", "basic_password"}),
    ],
)
def test_a_webhook_keeps_what_it_sends_for_its_server_alone(address: str, kept: set[str]) -> None:
    assert find_misdirected({"address": address}, WEBHOOK, (), CHANNELS["webhook"].fields) == kept


def test_what_is_entered_again_or_removed_is_not_kept() -> None:
    typed = {"address": "https://example.com/one", "headers": "X-Key: new"}

    assert find_misdirected(typed, WEBHOOK, ["basic_password"], CHANNELS["webhook"].fields) == set()


@pytest.mark.parametrize(
    ("stored", "server", "kept"),
    [
        (NTFY, "https://ntfy.sh", set()),
        (NTFY, "https://ntfy.example.com", {"topic", "token"}),
        (NTFY | {"server": "https://ntfy.example.com"}, "https://ntfy.sh", {"topic", "token"}),
        ({}, "https://ntfy.example.com", set()),
    ],
)
def test_a_server_that_was_never_entered_is_the_usual_one(stored: dict[str, str], server: str, kept: set[str]) -> None:
    assert find_misdirected({"server": server}, stored, (), CHANNELS["ntfy"].fields) == kept
