"""A name that contains a secret of its destination is found, and no other one."""

import pytest

from tests.factories import SIGNING_SECRET
from webapp.channels import CHANNELS
from webapp.destinations.secret_names import list_secret_parts

TOKEN = "Zk3v9QxT7mB2LpW8"
SETTINGS = {
    "address": f"https://hooks.example.com/services/{TOKEN}?sig=short",
    "signing_secret": SIGNING_SECRET,
    "headers": f"X-Api-Key-Of-Production: 0123456789abcdef\nAuthorization: Bearer {TOKEN[::-1]}",
}


def _repeats(name: str, settings: dict[str, str] = SETTINGS, channel: str = "webhook") -> bool:
    return list_secret_parts(settings, CHANNELS[channel].fields).are_in(name)


@pytest.mark.parametrize(
    "name",
    [
        SETTINGS["address"],
        SETTINGS["address"].removeprefix("https://"),
        f"Ops ({TOKEN.upper()})",
        f"hooks.example.com/services/{TOKEN}",
        f"Ops {SIGNING_SECRET}",
        "Key 0123456789ABCDEF",
        TOKEN[::-1],
    ],
)
def test_a_name_with_a_secret_is_found(name: str) -> None:
    assert _repeats(name)


@pytest.mark.parametrize(
    "name",
    ["Ops", "hooks.example.com", "https://hooks.example.com", "services", "X-Api-Key-Of-Production", TOKEN[:15]],
)
def test_any_other_name_may_be_used(name: str) -> None:
    assert not _repeats(name)


def test_a_short_address_is_found_as_a_whole() -> None:
    assert _repeats("To https://a.example/x", {"address": "https://a.example/x"})
    assert not _repeats("To https://a.example", {"address": "https://a.example/"})


def test_a_recipient_may_be_a_name() -> None:
    recipient = "on-call-of-production@example.com"
    assert not _repeats(recipient, {"recipients": recipient}, "email")


@pytest.mark.parametrize("address", ["", "x", "https://", "https://[", "\ud800"])
def test_settings_that_nobody_has_checked_are_read(address: str) -> None:
    assert not _repeats("A name with one_very_long_word", {"address": address})
