"""The cookie in which a browser keeps the token of the invitation that it opened last, such as during a sign-in."""

from flask import request
from werkzeug.wrappers import Response

from webapp.app_state import current_settings

# The page of the invitation that a browser keeps. A sign-in leads back to it.
INVITATION_PAGE = "/invitation"

# Seconds for which the browser keeps the token.
COOKIE_AGE = 3600


def keep_token(response: Response, token: str) -> None:
    """Let the browser keep a token, or forget the one it has if there is none."""
    age, is_secure = COOKIE_AGE if token else 0, current_settings().https
    response.set_cookie(_cookie_name(), token, max_age=age, secure=is_secure, httponly=True, samesite="Lax")


def read_kept_token() -> str:
    """Return the token that the browser keeps, or an empty text."""
    return request.cookies.get(_cookie_name(), "")


def _cookie_name() -> str:
    return "__Host-invitation" if current_settings().https else "invitation"
