"""Binds the CSRF token of a session to its account, so that a refused form shows for whom its page was made."""

import re
import secrets
from dataclasses import dataclass

from flask import current_app, g, request, session
from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.auth.keyed_hash import hash_key
from webapp.models import Account

# Where Flask-WTF keeps and expects the token.
_NAME, _HEADER, _SALT = "csrf_token", "X-CSRFToken", "wtf-csrf-token"

_BOUND = re.compile(r"[0-9a-f]{40}\.(?P<account>[0-9a-f]{64})")


@dataclass(frozen=True)
class FormToken:
    """The token of a form, which this installation signed.

    account_key: the key of the account that the page was made for, or None if nobody was signed in.
    """

    account_key: str | None


def renew_token(account: Account) -> None:
    """Give the session a new token, bound to its account. The forms of earlier pages are refused from now on."""
    session[_NAME] = f"{secrets.token_hex(20)}.{account_key(account)}"
    g.pop(_NAME, None)  # Flask-WTF keeps what it signed earlier in the same request


def account_key(account: Account) -> str:
    """Return the key of an account, which reveals nothing about it."""
    return hash_key("form", str(account.id))


def has_token() -> bool:
    """Check whether the request has a token at all."""
    return bool(_find_text())


def read_token() -> FormToken | None:
    """Return the token of the requested form, of whatever session and age; None if it is missing or not ours."""
    serializer = URLSafeTimedSerializer(str(current_app.secret_key), salt=_SALT)
    try:
        content = serializer.loads(_find_text())
    except BadData:
        return None
    bound = _BOUND.fullmatch(str(content))
    return FormToken(bound["account"] if bound else None)


def _find_text() -> str:
    return request.form.get(_NAME) or request.headers.get(_HEADER) or ""
