"""Sealed settings: only the right key opens them, and only for the row they were made for."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from webapp.encryption.settings_cipher import Sealer, Unreadable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ROW, OTHER_ROW = "workspace 1 destination 1", "workspace 1 destination 2"
SETTINGS = {"address": "https://example.com/hook/canary", "signing_secret": "whsec_Straße"}


def make_sealer(*keys: str) -> Sealer:
    return Sealer(keys, fingerprint_key="a key for fingerprints")


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_sealed_opens_to_the_same(settings: dict[str, str]) -> None:
    sealer = make_sealer(NEW)

    assert sealer.open(sealer.seal(settings, bound_to=ROW), bound_to=ROW) == settings


def test_a_token_shows_nothing_of_the_settings() -> None:
    token = make_sealer(NEW).seal(SETTINGS, bound_to=ROW)

    assert "canary" not in token
    assert token.startswith("gAAAA")  # of Fernet: a version and a time, then nothing that can be read


def test_the_same_settings_never_make_the_same_token() -> None:
    sealer = make_sealer(NEW)

    assert sealer.seal(SETTINGS, bound_to=ROW) != sealer.seal(SETTINGS, bound_to=ROW)


def test_a_token_copied_to_another_row_does_not_open() -> None:
    sealer = make_sealer(NEW)

    with pytest.raises(Unreadable):
        sealer.open(sealer.seal(SETTINGS, bound_to=ROW), bound_to=OTHER_ROW)


def test_a_token_of_a_key_that_is_gone_does_not_open() -> None:
    token = make_sealer(OLD).seal(SETTINGS, bound_to=ROW)

    with pytest.raises(Unreadable):
        make_sealer(NEW).open(token, bound_to=ROW)


@pytest.mark.parametrize(
    "token", ["", "gAAAA", "not a token", "schlüssel", make_sealer(NEW).seal({}, bound_to=ROW)[:-2]]
)
def test_a_damaged_token_does_not_open(token: str) -> None:
    with pytest.raises(Unreadable):
        make_sealer(NEW).open(token, bound_to=ROW)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff"])
def test_a_token_that_holds_something_else_does_not_open(content: bytes) -> None:
    token = Fernet(NEW).encrypt(content).decode()

    with pytest.raises(Unreadable):
        make_sealer(NEW).open(token, bound_to=ROW)


def test_a_token_that_does_not_open_is_not_quoted() -> None:
    with pytest.raises(Unreadable) as caught:
        make_sealer(NEW).open("not a token", bound_to=ROW)

    assert (str(caught.value), caught.value.__cause__) == ("", None)


def test_an_older_key_still_opens() -> None:
    token = make_sealer(OLD).seal(SETTINGS, bound_to=ROW)

    assert make_sealer(NEW, OLD).open(token, bound_to=ROW) == SETTINGS


def test_the_newest_key_seals() -> None:
    token = make_sealer(NEW, OLD).seal(SETTINGS, bound_to=ROW)

    assert make_sealer(NEW).open(token, bound_to=ROW) == SETTINGS


def test_a_rotated_token_needs_the_older_key_no_more() -> None:
    rotated = make_sealer(NEW, OLD).rotate(make_sealer(OLD).seal(SETTINGS, bound_to=ROW))

    assert make_sealer(NEW).open(rotated, bound_to=ROW) == SETTINGS


def test_a_rotated_token_stays_bound_to_its_row() -> None:
    sealer = make_sealer(NEW)

    with pytest.raises(Unreadable):
        sealer.open(sealer.rotate(sealer.seal(SETTINGS, bound_to=ROW)), bound_to=OTHER_ROW)


def test_a_token_of_a_key_that_is_gone_cannot_be_rotated() -> None:
    with pytest.raises(Unreadable):
        make_sealer(NEW).rotate(make_sealer(OLD).seal(SETTINGS, bound_to=ROW))


def test_a_fingerprint_is_eight_hex_digits() -> None:
    assert len(bytes.fromhex(make_sealer(NEW).fingerprint("https://example.com/hook/canary"))) == 4


def test_a_fingerprint_names_the_same_secret_alike_whatever_the_keys() -> None:
    assert make_sealer(OLD).fingerprint("canary") == make_sealer(NEW).fingerprint("canary")


def test_a_fingerprint_tells_two_secrets_apart() -> None:
    assert make_sealer(NEW).fingerprint("canary") != make_sealer(NEW).fingerprint("canarz")


def test_a_fingerprint_cannot_be_made_without_the_key() -> None:
    other = Sealer([NEW], fingerprint_key="another key")

    assert make_sealer(NEW).fingerprint("canary") != other.fingerprint("canary")
