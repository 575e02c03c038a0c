"""Sealed settings: only the right key opens them, and only for the row they were made for."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ROW, OTHER_ROW = "workspace 1 destination 1", "workspace 1 destination 2"
SETTINGS = {"address": "https://example.com/hook/canary", "signing_secret": "whsec_Straße"}


def make_sealer(*keys: str) -> SettingsCipher:
    return SettingsCipher(keys, fingerprint_key="a key for fingerprints")


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_sealed_opens_to_the_same(settings: dict[str, str]) -> None:
    cipher = make_sealer(NEW)

    assert cipher.decrypt(cipher.encrypt(settings, context=ROW), context=ROW) == settings


def test_a_token_shows_nothing_of_the_settings() -> None:
    token = make_sealer(NEW).encrypt(SETTINGS, context=ROW)

    assert "canary" not in token
    assert token.startswith("gAAAA")  # of Fernet: a version and a time, then nothing that can be read


def test_the_same_settings_never_make_the_same_token() -> None:
    cipher = make_sealer(NEW)

    assert cipher.encrypt(SETTINGS, context=ROW) != cipher.encrypt(SETTINGS, context=ROW)


def test_a_token_copied_to_another_row_does_not_open() -> None:
    cipher = make_sealer(NEW)

    with pytest.raises(SettingsUnreadable):
        cipher.decrypt(cipher.encrypt(SETTINGS, context=ROW), context=OTHER_ROW)


def test_a_token_of_a_key_that_is_gone_does_not_open() -> None:
    token = make_sealer(OLD).encrypt(SETTINGS, context=ROW)

    with pytest.raises(SettingsUnreadable):
        make_sealer(NEW).decrypt(token, context=ROW)


@pytest.mark.parametrize(
    "token", ["", "gAAAA", "not a token", "schlüssel", make_sealer(NEW).encrypt({}, context=ROW)[:-2]]
)
def test_a_damaged_token_does_not_open(token: str) -> None:
    with pytest.raises(SettingsUnreadable):
        make_sealer(NEW).decrypt(token, context=ROW)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff"])
def test_a_token_that_holds_something_else_does_not_open(content: bytes) -> None:
    token = Fernet(NEW).encrypt(content).decode()

    with pytest.raises(SettingsUnreadable):
        make_sealer(NEW).decrypt(token, context=ROW)


def test_a_token_that_does_not_open_is_not_quoted() -> None:
    with pytest.raises(SettingsUnreadable) as caught:
        make_sealer(NEW).decrypt("not a token", context=ROW)

    assert (str(caught.value), caught.value.__cause__) == ("", None)


def test_an_older_key_still_opens() -> None:
    token = make_sealer(OLD).encrypt(SETTINGS, context=ROW)

    assert make_sealer(NEW, OLD).decrypt(token, context=ROW) == SETTINGS


def test_the_newest_key_seals() -> None:
    token = make_sealer(NEW, OLD).encrypt(SETTINGS, context=ROW)

    assert make_sealer(NEW).decrypt(token, context=ROW) == SETTINGS


def test_a_rotated_token_needs_the_older_key_no_more() -> None:
    rotated = make_sealer(NEW, OLD).rotate(make_sealer(OLD).encrypt(SETTINGS, context=ROW))

    assert make_sealer(NEW).decrypt(rotated, context=ROW) == SETTINGS


def test_a_rotated_token_stays_bound_to_its_row() -> None:
    cipher = make_sealer(NEW)

    with pytest.raises(SettingsUnreadable):
        cipher.decrypt(cipher.rotate(cipher.encrypt(SETTINGS, context=ROW)), context=OTHER_ROW)


def test_a_token_of_a_key_that_is_gone_cannot_be_rotated() -> None:
    with pytest.raises(SettingsUnreadable):
        make_sealer(NEW).rotate(make_sealer(OLD).encrypt(SETTINGS, context=ROW))


def test_a_fingerprint_is_eight_hex_digits() -> None:
    assert len(bytes.fromhex(make_sealer(NEW).fingerprint("https://example.com/hook/canary"))) == 4


def test_a_fingerprint_names_the_same_secret_alike_whatever_the_keys() -> None:
    assert make_sealer(OLD).fingerprint("canary") == make_sealer(NEW).fingerprint("canary")


def test_a_fingerprint_tells_two_secrets_apart() -> None:
    assert make_sealer(NEW).fingerprint("canary") != make_sealer(NEW).fingerprint("canarz")


def test_a_fingerprint_cannot_be_made_without_the_key() -> None:
    other = SettingsCipher([NEW], fingerprint_key="another key")

    assert make_sealer(NEW).fingerprint("canary") != other.fingerprint("canary")
