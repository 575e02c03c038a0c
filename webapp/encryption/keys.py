"""Reads the keys that encrypt destination settings, from a text or from a file that is created once."""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

# The command that error sentences give for creating a key.
GENERATE_KEY_COMMAND = "python3 -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


def read_keys(text: str) -> tuple[str, ...]:
    """Return the keys in a text, newest first. Raises ValueError with the rest of a sentence about the setting."""
    keys = tuple(text.replace(",", " ").split())
    if not keys:
        raise ValueError(f"contains no key. Make one with: {GENERATE_KEY_COMMAND}")
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        raise ValueError(f"contains something that is not a key. Make one with: {GENERATE_KEY_COMMAND}") from None
    return keys


def read_key_file(name: str) -> tuple[str, ...]:
    """Read the keys of a file that only its owner can read. If the file does not exist, create it with a new key.

    Raises ValueError as `read_keys` does.
    """
    file = Path(name)
    if not file.is_absolute():  # commands and services run in different folders, and each would create its own keys
        raise ValueError("has to be the whole path of the file, such as /var/lib/alertcheck/config.keys.")
    try:
        if not file.exists():
            _create_file(file)
        if not file.is_file():
            raise ValueError("names a folder or a device. It takes a file with one key per line.")
        if file.stat().st_mode & 0o077:
            raise ValueError("can be read by other users. Run: chmod 600 FILE")
        return read_keys(file.read_text(errors="replace"))
    except OSError as error:  # the sentence does not repeat the name, which may be the key itself
        raise ValueError(f"names a file that cannot be used: {error.strerror}.") from None


def _create_file(file: Path) -> None:
    """Create the file completely or not at all, and only once even if many processes start at the same time."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(Fernet.generate_key().decode() + "\n")
        new.flush()
        os.fsync(new.fileno())
    try:
        with suppress(FileExistsError):  # another process was faster, and its key is used
            os.link(draft, file)
    finally:
        draft.unlink()
