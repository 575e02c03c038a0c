"""The demo's keys: created once, and valid."""

import stat
from base64 import b64decode
from pathlib import Path

from cryptography.fernet import Fernet

from webapp.demo.supervisor.keys import load_keys


def test_the_second_start_uses_the_keys_of_the_first(tmp_path: Path) -> None:
    assert load_keys(tmp_path / "keys.env", {}) == load_keys(tmp_path / "keys.env", {})


def test_two_installations_share_no_key(tmp_path: Path) -> None:
    one, other = load_keys(tmp_path / "one", {}), load_keys(tmp_path / "other", {})
    assert set(one.values()).isdisjoint(other.values())


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    load_keys(tmp_path / "keys.env", {})
    assert stat.S_IMODE((tmp_path / "keys.env").stat().st_mode) == 0o600


def test_a_key_from_the_environment_takes_precedence_and_is_not_stored(tmp_path: Path) -> None:
    given = load_keys(tmp_path / "keys.env", {"SECRET_KEY": "from outside"})
    assert given["SECRET_KEY"] == "from outside"
    assert "from outside" not in (tmp_path / "keys.env").read_text()


def test_a_key_missing_from_an_older_file_is_added(tmp_path: Path) -> None:
    (tmp_path / "keys.env").write_text("SECRET_KEY=kept\n")
    assert load_keys(tmp_path / "keys.env", {})["SECRET_KEY"] == "kept"
    assert load_keys(tmp_path / "keys.env", {}) == load_keys(tmp_path / "keys.env", {})


def test_keys_with_old_names_in_the_file_are_kept(tmp_path: Path) -> None:
    (tmp_path / "keys.env").write_text("SECRET_KEY=a\nCONFIG_KEYS=b\nWEBHOOK_SECRET=c\n")

    assert load_keys(tmp_path / "keys.env", {}) == {
        "SECRET_KEY": "a",
        "ALERTCHECK_CONFIG_KEYS": "b",
        "WEBHOOK_SECRET": "c",
    }


def test_the_configs_key_encrypts(tmp_path: Path) -> None:
    box = Fernet(load_keys(tmp_path / "keys.env", {})["ALERTCHECK_CONFIG_KEYS"])
    assert box.decrypt(box.encrypt(b"settings")) == b"settings"


def test_the_webhook_secret_has_the_length_that_the_standard_requires(tmp_path: Path) -> None:
    scheme, _, encoded = load_keys(tmp_path / "keys.env", {})["WEBHOOK_SECRET"].partition("_")
    assert scheme == "whsec"
    assert 24 <= len(b64decode(encoded, validate=True)) <= 64
