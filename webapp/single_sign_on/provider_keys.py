"""Reads the keys with which a provider signs its tokens."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

from webapp.single_sign_on.refusals import Refusal, SignOnRefused

MAX_KEYS = 100

_KEY_TYPES = ("RSA", "EC", "OKP")


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """Read the public keys that can sign. Others, such as keys of a new kind, are left out (RFC 7517, section 5)."""
    entries = document.get("keys")
    keys = []
    for entry in entries[:MAX_KEYS] if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("kty") in _KEY_TYPES and entry.get("use", "sig") == "sig":
            with suppress(JoseError, ValueError, TypeError, KeyError):
                keys.append(import_key(entry))
    if not keys:
        raise SignOnRefused(Refusal.UNUSABLE_RESPONSE)
    return KeySet(keys)
