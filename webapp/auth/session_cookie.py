"""Reads and writes the session cookie: signed, without a time stamp.

Flask's own cookie carries the time at which it was signed, and a web server whose clock is behind refuses it as coming
from the future. Here, the session's row in `sign_ins` decides how old a session is.
"""

import hashlib
from copy import deepcopy
from functools import lru_cache

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeSerializer

# Cookies whose content a process remembers, of up to 4 KB each.
CAPACITY = 500


class UntimedSessionInterface(SecureCookieSessionInterface):
    """Flask's session cookie with the same attributes and content, but signed without a time stamp."""

    salt = "untimed-session"  # not Flask's, so that neither form of the cookie is read as the other
    digest_method = staticmethod(hashlib.sha256)

    def __init__(self) -> None:
        """Remember what verified cookies contain, and nothing about others: a dashboard polls with the same one."""
        self._read = lru_cache(CAPACITY)(lambda app, cookie: self.get_signing_serializer(app).loads(cookie))

    def get_signing_serializer(self, app: Flask) -> URLSafeSerializer:  # type: ignore[override]
        """Return the serializer that signs with the application's secret key."""
        signer = {"key_derivation": self.key_derivation, "digest_method": self.digest_method}
        return URLSafeSerializer(str(app.secret_key), salt=self.salt, serializer=self.serializer, signer_kwargs=signer)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """Return the session in the request's cookie; an empty one if the cookie is missing or not ours."""
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        try:
            return self.session_class(deepcopy(self._read(app, cookie)))
        except BadData:
            return self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie if it has changed. `webapp.auth.sessions.note_visit` renews that of a session in use.

        No response needs "Vary: Cookie", which would hinder the caching of static files: what depends on a session is
        never stored.
        """
        if session.modified:
            super().save_session(app, session, response)
