"""Encrypts a destination's settings for the database, and decrypts them."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from webapp.encryption.search_hashes import SearchHashes


class SettingsUnreadable(Exception):
    """The settings cannot be decrypted: the key is gone, the token is damaged, or it belongs to another row."""


class SettingsCipher:
    """Encrypts with the first key and decrypts with any key.

    A token is bound to its row (`context`), because Fernet alone would also decrypt it if it were copied elsewhere.
    keys: at least one Fernet key (32 bytes, URL-safe base64), newest first.
    fingerprint_key: the key of the HMAC that makes fingerprints.
    search: makes the hashes by which settings are found.
    """

    def __init__(self, keys: Sequence[str], fingerprint_key: str) -> None:
        self._newest = Fernet(keys[0])
        self.search = SearchHashes(keys)
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._fingerprint_key = hashlib.sha256(b"alertcheck fingerprint\0" + fingerprint_key.encode()).digest()

    def encrypt(self, settings: Mapping[str, str], *, context: str) -> str:
        """Encrypt settings for one row."""
        return self._fernet.encrypt(json.dumps({"for": context, "settings": dict(settings)}).encode()).decode()

    def decrypt(self, token: str, *, context: str) -> dict[str, str]:
        """Decrypt the settings of one row. Raises `SettingsUnreadable`."""
        try:
            content = json.loads(self._fernet.decrypt(token))
            if content["for"] == context:
                return {str(name): str(value) for name, value in content["settings"].items()}
        except (InvalidToken, ValueError, LookupError, TypeError, AttributeError):
            raise SettingsUnreadable from None
        raise SettingsUnreadable

    def is_current(self, token: str) -> bool:
        """Check whether a token was encrypted with the first key."""
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            return False
        return True

    def rotate(self, token: str) -> str:
        """Encrypt a token again, with the first key. Raises `SettingsUnreadable`."""
        try:
            return self._fernet.rotate(token).decode()
        except InvalidToken:
            raise SettingsUnreadable from None

    def fingerprint(self, secret: str) -> str:
        """Return 8 hex digits that distinguish secrets, and reveal nothing about them without the fingerprint key."""
        return hmac.new(self._fingerprint_key, secret.encode(), hashlib.sha256).hexdigest()[:8]
