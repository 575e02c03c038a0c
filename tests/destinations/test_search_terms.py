"""What a destination is found by: its host, or its recipients and their domains, each in one spelling."""

import pytest

from webapp.channels import CHANNELS
from webapp.destinations.search_terms import list_terms


def _terms(channel: str, **settings: str) -> set[str]:
    return {f"{term.kind} {term.value}" for term in list_terms(channel, settings)}


@pytest.mark.parametrize("channel", [name for name in CHANNELS if name != "email"])
def test_a_channel_with_an_address_or_a_server_is_found_by_its_host_alone(channel: str) -> None:
    settings = {field.name: "canary" for field in CHANNELS[channel].fields}
    settings[CHANNELS[channel].target_field.name] = "https://Hooks.Example.com:8443/services/canary?sig=canary"

    assert _terms(channel, **settings) == {"host hooks.example.com"}


def test_an_international_host_has_its_a_labels() -> None:
    assert _terms("webhook", address="https://müller.example/x") == {"host xn--mller-kva.example"}


def test_email_is_found_by_each_recipient_and_domain() -> None:
    assert _terms("email", recipients="Ann@Example.com, bob@example.com, c@example.org") == {
        "recipient ann@example.com",
        "recipient bob@example.com",
        "recipient c@example.org",
        "domain example.com",
        "domain example.org",
    }


@pytest.mark.parametrize("address", ["", "not an address", "https://"])
def test_an_address_that_cannot_be_read_has_no_term(address: str) -> None:
    assert _terms("webhook", address=address) == set()


def test_an_unknown_channel_has_no_terms() -> None:
    assert _terms("pigeon", address="https://example.com/x") == set()


def test_a_term_does_not_show_its_value() -> None:
    (term,) = list_terms("webhook", {"address": "https://canary.example/x"})

    assert "canary" not in repr(term)
