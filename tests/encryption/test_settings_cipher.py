"""Encrypted settings: they can be decrypted only with the right key, and only for their own row."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
ROW, OTHER_ROW = "workspace 1 destination 1", "workspace 1 destination 2"
SETTINGS = {"address": "https://example.com/hook/canary", "signing_secret": "whsec_Straße"}


def make_cipher(*keys: str) -> SettingsCipher:
    return SettingsCipher(keys, fingerprint_key="a key for fingerprints")


@pytest.mark.slow
@given(st.dictionaries(st.text(), st.text()))
def test_decryption_returns_the_encrypted_settings(settings: dict[str, str]) -> None:
    cipher = make_cipher(NEW)

    assert cipher.decrypt(cipher.encrypt(settings, context=ROW), context=ROW) == settings


def test_a_token_shows_nothing_of_the_settings() -> None:
    token = make_cipher(NEW).encrypt(SETTINGS, context=ROW)

    assert "canary" not in token
    assert token.startswith("gAAAA")  # Fernet's version and time; the rest is encrypted


def test_the_same_settings_never_make_the_same_token() -> None:
    cipher = make_cipher(NEW)

    assert cipher.encrypt(SETTINGS, context=ROW) != cipher.encrypt(SETTINGS, context=ROW)


def test_a_token_copied_to_another_row_cannot_be_decrypted() -> None:
    cipher = make_cipher(NEW)

    with pytest.raises(SettingsUnreadable):
        cipher.decrypt(cipher.encrypt(SETTINGS, context=ROW), context=OTHER_ROW)


def test_a_token_of_a_removed_key_cannot_be_decrypted() -> None:
    token = make_cipher(OLD).encrypt(SETTINGS, context=ROW)

    with pytest.raises(SettingsUnreadable):
        make_cipher(NEW).decrypt(token, context=ROW)


@pytest.mark.parametrize(
    "token", ["", "gAAAA", "not a token", "schlüssel", make_cipher(NEW).encrypt({}, context=ROW)[:-2]]
)
def test_a_damaged_token_cannot_be_decrypted(token: str) -> None:
    with pytest.raises(SettingsUnreadable):
        make_cipher(NEW).decrypt(token, context=ROW)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff"])
def test_a_token_with_other_content_is_unreadable(content: bytes) -> None:
    token = Fernet(NEW).encrypt(content).decode()

    with pytest.raises(SettingsUnreadable):
        make_cipher(NEW).decrypt(token, context=ROW)


def test_a_token_that_cannot_be_decrypted_is_not_quoted() -> None:
    with pytest.raises(SettingsUnreadable) as caught:
        make_cipher(NEW).decrypt("not a token", context=ROW)

    assert (str(caught.value), caught.value.__cause__) == ("", None)


def test_an_older_key_still_decrypts() -> None:
    token = make_cipher(OLD).encrypt(SETTINGS, context=ROW)

    assert make_cipher(NEW, OLD).decrypt(token, context=ROW) == SETTINGS


def test_the_newest_key_encrypts() -> None:
    token = make_cipher(NEW, OLD).encrypt(SETTINGS, context=ROW)

    assert make_cipher(NEW).decrypt(token, context=ROW) == SETTINGS


def test_a_rotated_token_does_not_need_the_older_key() -> None:
    rotated = make_cipher(NEW, OLD).rotate(make_cipher(OLD).encrypt(SETTINGS, context=ROW))

    assert make_cipher(NEW).decrypt(rotated, context=ROW) == SETTINGS


def test_a_rotated_token_stays_bound_to_its_row() -> None:
    cipher = make_cipher(NEW)

    with pytest.raises(SettingsUnreadable):
        cipher.decrypt(cipher.rotate(cipher.encrypt(SETTINGS, context=ROW)), context=OTHER_ROW)


def test_a_token_of_a_removed_key_cannot_be_rotated() -> None:
    with pytest.raises(SettingsUnreadable):
        make_cipher(NEW).rotate(make_cipher(OLD).encrypt(SETTINGS, context=ROW))


def test_a_fingerprint_is_eight_hex_digits() -> None:
    assert len(bytes.fromhex(make_cipher(NEW).fingerprint("https://example.com/hook/canary"))) == 4


def test_a_fingerprint_does_not_depend_on_the_encryption_keys() -> None:
    assert make_cipher(OLD).fingerprint("canary") == make_cipher(NEW).fingerprint("canary")


def test_two_secrets_have_different_fingerprints() -> None:
    assert make_cipher(NEW).fingerprint("canary") != make_cipher(NEW).fingerprint("canarz")


def test_a_fingerprint_depends_on_the_fingerprint_key() -> None:
    other = SettingsCipher([NEW], fingerprint_key="another key")

    assert make_cipher(NEW).fingerprint("canary") != other.fingerprint("canary")
