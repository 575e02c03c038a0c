"""Replaces addresses and clients in tables and Redis keys by hashes that reveal nothing without the secret key."""

import hashlib
import hmac

from webapp.app_state import current_settings


def hash_key(purpose: str, *parts: str) -> str:
    """Return 64 hex digits. No part may contain a NUL, which separates them."""
    key = hashlib.sha256(b"alertcheck sign-in\0" + current_settings().secret_key.encode()).digest()
    return hmac.new(key, "\0".join((purpose, *parts)).encode(), hashlib.sha256).hexdigest()
