"""A visitor's browser: keeps a session, sends the CSRF token like our pages do, and looks at every page it gets."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import flask
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from webapp.auth import accounts
from webapp.extensions import db
from webapp.models import Account


@dataclass
class Visitor:
    """`client` is Flask's own test client; `token` is what the hx-headers of every page hold."""

    client: FlaskClient
    token: str = ""

    @classmethod
    def anonymous(cls, app: Flask) -> "Visitor":
        """A browser that nobody signed in with."""
        visitor = cls(app.test_client())
        visitor.get("/sign-in")
        return visitor

    @classmethod
    def signed_in(cls, app: Flask, account_id: int) -> "Visitor":
        """A browser with a session and a token, as a sign-in and the page after it leave them."""
        visitor = cls(app.test_client())
        with app.app_context():
            account = db.session.get_one(Account, account_id)
            accounts.sign_in(account, datetime.now(UTC))
            db.session.commit()
            sign_in_id = account.get_id()
        with app.test_request_context():
            visitor.token, cookie = generate_csrf(), dict(flask.session)
        with visitor.client.session_transaction() as session:
            session |= cookie | {"_user_id": sign_in_id}
        return visitor

    def get(self, path: str, **arguments: Any) -> TestResponse:
        answer = self.client.get(path, **arguments)
        _check_page(answer)
        found = re.search(r'"X-CSRFToken": "([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, data: dict[str, str] | None = None, **arguments: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token} | arguments.pop("headers", {})
        answer = self.client.post(path, data=data or {}, headers=headers, **arguments)
        _check_page(answer)
        return answer


def _check_page(answer: TestResponse) -> None:
    """Hold every HTML answer to what no page may break."""
    if answer.mimetype != "text/html":
        return
    ids = Counter(re.findall(r'\sid="([^"]+)"', answer.text))
    assert [name for name, count in ids.items() if count > 1] == [], "an id stands twice on a page"
    is_whole = "<html" in answer.text  # a fragment may aim at what stands beside it
    targets = re.findall(r'hx-target="#([^"]+)"', answer.text) if is_whole else []
    assert [target for target in targets if target not in ids] == [], "an hx-target leads nowhere"
    assert not re.search(r"\son[a-z]+=|<style|<script(?![^>]*\ssrc=)", answer.text), "something inline breaks the CSP"
