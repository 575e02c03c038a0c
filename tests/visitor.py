"""A test browser: keeps a session, sends the CSRF token as our pages do, and checks every page it gets."""

import re
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import flask
from flask import Flask, Response
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import bindparam, insert, literal, select
from werkzeug.test import TestResponse

from webapp import __version__
from webapp.audit.actions import Action, Result
from webapp.auth.form_tokens import renew_token
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Member, SignIn


@dataclass
class Visitor:
    """client: Flask's test client. token: the CSRF token from the hx-headers of the last page."""

    client: FlaskClient
    token: str = ""

    @classmethod
    def anonymous(cls, app: Flask) -> "Visitor":
        """Return a browser that is not signed in, with the CSRF token that the sign-in page leaves."""
        visitor = cls(app.test_client())
        with app.test_request_context():
            visitor.keep_session(app)
        return visitor

    @classmethod
    def signed_in(cls, app: Flask, account_id: int, origin: str = "http://localhost") -> "Visitor":
        """Return a browser with a session and a CSRF token, as a sign-in and the page after it leave them.

        origin: where it opens the pages.
        """
        visitor = cls(app.test_client())
        with app.app_context():
            account = Account(id=account_id)
            account.sign_in_id = add_session(account_id, datetime.now(UTC))
            with app.test_request_context(base_url=origin):
                renew_token(account)
                flask.session["_user_id"] = account.get_id()
                visitor.keep_session(app)
        return visitor

    def keep_session(self, app: Flask) -> None:
        """Keep the session of the current request, and its CSRF token."""
        self.token = generate_csrf()
        response = app.response_class()
        app.session_interface.save_session(app, flask.session, response)
        self.keep_cookies(response, flask.request.host_url)

    def keep_cookies(self, response: Response, origin: str) -> None:
        """Keep the cookies of a response, as if a page of this origin had been opened."""
        host = urlsplit(origin).hostname or ""
        for line in response.headers.getlist("Set-Cookie"):
            ((name, cookie),) = SimpleCookie(line).items()
            is_secure, is_http_only = bool(cookie["secure"]), bool(cookie["httponly"])
            self.client.set_cookie(name, cookie.value, domain=host, secure=is_secure, httponly=is_http_only)

    def get(self, path: str, **arguments: Any) -> TestResponse:
        response = self.client.get(path, **arguments)
        _check_page(response)
        found = re.search(r'"X-CSRFToken": "([^"]+)"', response.text)
        self.token = found[1] if found else self.token
        return response

    def post(self, path: str, data: Mapping[str, object] | bytes | None = None, **arguments: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token} | arguments.pop("headers", {})
        response = self.client.post(path, data=data or {}, headers=headers, **arguments)
        _check_page(response)
        return response


# Who signed in, for each workspace; without a workspace, for the installation.
_ADD_EVENTS = insert(AuditEvent).from_select(
    ["workspace_id", "account_id", "account_name", "action", "subject", "result", "changed", "happened_at"],
    select(
        Member.workspace_id,
        Account.id,
        Account.name,
        *(literal(word) for word in (Action.SIGNED_IN.value, "", Result.DONE.value)),
        literal([], AuditEvent.changed.type),
        bindparam("now", type_=AuditEvent.happened_at.type),
    )
    .outerjoin_from(Account, Member)
    .where(Account.id == bindparam("account_id"))
    .order_by(Member.workspace_id),
)


def add_session(account_id: int, now: datetime) -> str:
    """Add what `session_lifetime.sign_in` adds, in a fifth of its time, and return the id of the session."""
    session = {"id": secrets.token_urlsafe(32), "account_id": account_id, "started_at": now, "last_seen_at": now}
    with db.engine.begin() as connection:
        connection.execute(insert(SignIn), session)
        connection.execute(_ADD_EVENTS, {"account_id": account_id, "now": now})
    return str(session["id"])


def _check_page(response: TestResponse) -> None:
    """Check the rules that every HTML response must keep."""
    if response.mimetype != "text/html":
        return
    ids = Counter(re.findall(r'\sid="([^"]+)"', response.text))
    assert [name for name, count in ids.items() if count > 1] == [], "an id occurs twice on a page"
    is_whole = "<html" in response.text  # a fragment may target an element outside itself
    targets = re.findall(r'hx-target="#([^"]+)"', response.text) if is_whole else []
    assert [target for target in targets if target not in ids] == [], "an hx-target has no element"
    footer = re.search(r'<footer class="container version">.*?(Alertcheck.*?)</span>', response.text, re.DOTALL)
    assert not footer or footer[1] == f"Alertcheck {__version__}", "a page has another version in its footer"
    assert not re.search(r"\son[a-z]+=|<style|<script(?![^>]*\ssrc=)", response.text), "inline code violates the CSP"
