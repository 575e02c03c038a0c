"""The keys that settings are sealed with: from the environment, or from a file that is made once."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

HOW = "python3 -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


class NoKeys(ValueError):
    """There is no key to seal with; the text says why, and what to do."""


def read_keys(environ: Mapping[str, str]) -> list[str]:
    """Return the keys of CONFIG_KEYS_FILE or CONFIG_KEYS, the newest first. Raises `NoKeys`."""
    file = environ.get("CONFIG_KEYS_FILE")
    text = _read_file(Path(file)) if file else environ.get("CONFIG_KEYS", "")
    keys = text.replace(",", " ").split()
    if not keys:
        raise NoKeys(f"CONFIG_KEYS is not set. Make one with: {HOW}")
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        raise NoKeys(f"CONFIG_KEYS holds something that is not a key. Make one with: {HOW}") from None
    return keys


def _read_file(file: Path) -> str:
    """Read a file that its owner alone may read; a file that does not exist is made with a new key."""
    try:
        if not file.exists():
            _make_file(file)
        if file.stat().st_mode & 0o077:
            raise NoKeys(f"CONFIG_KEYS_FILE can be read by others. Say: chmod 600 {file}")
        return file.read_text()
    except OSError as error:
        raise NoKeys(f"CONFIG_KEYS_FILE {file} cannot be used: {error.strerror}.") from None


def _make_file(file: Path) -> None:
    """Make the file whole or not at all, and once, however many processes start at the same time."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(Fernet.generate_key().decode() + "\n")
        new.flush()
        os.fsync(new.fileno())
    try:
        with suppress(FileExistsError):  # another process was faster: then its key is the key
            os.link(draft, file)
    finally:
        draft.unlink()
