"""The sign-ins that a browser has begun at the provider: bound to its session, each good for one response."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import session

from webapp.auth.keyed_hash import hash_key

# How long somebody may take at the provider, with a second factor or a forgotten password.
LIFETIME = timedelta(minutes=30)

# In several tabs at once. More would not fit into a cookie.
MAX_ATTEMPTS = 4
MAX_PATH_LENGTH = 500

_KEY = "single_sign_on"


@dataclass(frozen=True)
class SignInAttempt:
    """One sign-in. state: random; the provider returns it. next_path: the page to go to afterwards, or None.

    The other secrets are derived from the state, so the cookie, which its owner can read, does not have them.
    """

    state: str
    next_path: str | None

    @property
    def nonce(self) -> str:
        """What the provider's token has to repeat."""
        return hash_key("single sign-on, nonce", self.state)

    @property
    def verifier(self) -> str:
        """The secret of PKCE (RFC 7636), which only the token endpoint gets."""
        return hash_key("single sign-on, verifier", self.state)


def begin_attempt(next_path: str | None, now: datetime) -> SignInAttempt:
    """Begin a sign-in in this browser. A path that is too long is left out."""
    path = next_path if next_path and len(next_path) <= MAX_PATH_LENGTH else None
    attempt = SignInAttempt(secrets.token_urlsafe(32), path)
    begun = [*_read_attempts(now), [attempt.state, int(now.timestamp()), path]]
    session[_KEY] = begun[-MAX_ATTEMPTS:]
    return attempt


def take_attempt(state: str, now: datetime) -> SignInAttempt | None:
    """Return the sign-in with this state, which then is over; None if this browser has not begun it."""
    begun = _read_attempts(now)
    found = next((SignInAttempt(known, path) for known, _, path in begun if known == state), None)
    if found is not None:
        session[_KEY] = [entry for entry in begun if entry[0] != found.state]
    return found


def _read_attempts(now: datetime) -> list[Any]:
    since = (now - LIFETIME).timestamp()
    return [entry for entry in session.get(_KEY, ()) if entry[1] > since]
