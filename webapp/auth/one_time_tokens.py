"""Tokens in links that work once, of which only a hash is stored: for set-up, invitations, passwords and addresses."""

import secrets

from webapp.auth.keyed_hash import hash_key

# Bytes of randomness. Nobody guesses 192 bits.
RANDOM_BYTES = 24

# The length of a token, all of it URL-safe characters.
TOKEN_LENGTH = 32


def make_token() -> str:
    """Return a new token, which is stored nowhere."""
    return secrets.token_urlsafe(RANDOM_BYTES)


def is_token(text: str) -> bool:
    """Check whether a text has the form of a token. Nothing else is worth a query."""
    return len(text) == TOKEN_LENGTH and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def hash_token(token: str, purpose: str) -> str:
    """Return what is stored of a token. purpose: the kind of link, so that no token opens a link of another kind.

    A link is looked up by it, so no comparison reveals a part of the token.
    """
    return hash_key(purpose, token)
