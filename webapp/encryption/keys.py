"""The keys that settings are sealed with: from the environment, or from a file that is made once."""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

HOW = "python3 -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


def read_keys(text: str) -> tuple[str, ...]:
    """Return the keys in a text, the newest first. Raises ValueError with the rest of a sentence about the setting."""
    keys = tuple(text.replace(",", " ").split())
    if not keys:
        raise ValueError(f"holds no key. Make one with: {HOW}")
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        raise ValueError(f"holds something that is not a key. Make one with: {HOW}") from None
    return keys


def read_key_file(name: str) -> tuple[str, ...]:
    """Read the keys of a file that its owner alone may read; a file that does not exist is made with a new key.

    Raises ValueError as `read_keys` does.
    """
    file = Path(name)
    try:
        if not file.exists():
            _make_file(file)
        if file.stat().st_mode & 0o077:
            raise ValueError("can be read by others. Say: chmod 600 FILE")
        return read_keys(file.read_text(errors="replace"))
    except OSError as error:  # the name is not repeated: someone may have put the key itself there
        raise ValueError(f"names a file that cannot be used: {error.strerror}.") from None


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
