"""Seals a destination's settings for the database, and opens them again."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SettingsUnreadable(Exception):
    """The sealed settings do not open: the key is gone, the token is damaged, or it belongs to another row."""


class SettingsCipher:
    """Encrypts with the first key, decrypts with any.

    A token is bound to the row it was made for (`context`), since Fernet alone would open it wherever it is copied to.
    keys: Fernet keys (32 bytes, URL-safe base64), the newest first; at least one.
    fingerprint_key: what fingerprints are keyed with.
    """

    def __init__(self, keys: Sequence[str], fingerprint_key: str) -> None:
        self._newest = Fernet(keys[0])
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
        """Say whether a token was made with the first key."""
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            return False
        return True

    def rotate(self, token: str) -> str:
        """Encrypt a token anew with the first key. Raises `SettingsUnreadable`."""
        try:
            return self._fernet.rotate(token).decode()
        except InvalidToken:
            raise SettingsUnreadable from None

    def fingerprint(self, secret: str) -> str:
        """Name a secret in 8 hex digits that tell two apart and say nothing of either without our key."""
        return hmac.new(self._fingerprint_key, secret.encode(), hashlib.sha256).hexdigest()[:8]
