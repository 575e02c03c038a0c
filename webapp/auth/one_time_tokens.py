"""Tokens of links that work once. A link contains the token; a keyed hash of it is stored."""

import secrets

from webapp.auth.keyed_hash import hash_key

# Bytes of randomness, which nobody guesses.
RANDOM_BYTES = 32


def make_token() -> str:
    """Return a new token, which fits into a path."""
    return secrets.token_urlsafe(RANDOM_BYTES)


def hash_token(token: str, purpose: str) -> str:
    """Return what is stored of a token. A row is looked up by it, so no comparison reveals a part of the token."""
    return hash_key(purpose, token)
