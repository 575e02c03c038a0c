"""Submits forms by requests of a browser's session: a form that is opened and filled in takes more CPU time."""

import re
from urllib.parse import urljoin

from playwright.sync_api import BrowserContext

from tests.browser.running_demo import RunningDemo

ADD_WEBHOOK = "/w/harbor/destinations/new/webhook"

# The CSRF token of each session, by its cookie.
_tokens: dict[str, str] = {}


def add_named(context: BrowserContext, demo: RunningDemo, name: str, scenario: str = "works") -> str:
    """Add a webhook by a request of a session. Returns the path of its page."""
    fields = {"name": name, "address": demo.receiver(f"webhook/{scenario}"), "signing_secret": demo.signing_secret()}
    return send(context, f"{demo.address}{ADD_WEBHOOK}", fields).removeprefix(demo.address)


def send(context: BrowserContext, address: str, fields: dict[str, str] | None = None) -> str:
    """Submit a form by a request of a session. Returns the address that it leads to, which is not opened."""
    (session,) = (cookie for cookie in context.cookies(address) if cookie["name"] == "session")
    token = _tokens.get(session["value"]) or _read_token(context, urljoin(address, "/account"))
    _tokens[session["value"]] = token
    form: dict[str, str | float | bool] = {"csrf_token": token, **(fields or {})}
    response = context.request.post(address, form=form, headers={"Referer": address}, max_redirects=0)
    assert response.status < 400, response.status
    context.add_cookies([session])  # type: ignore[list-item]  # without the message for the next page
    return urljoin(address, response.headers.get("location"))


def _read_token(context: BrowserContext, address: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', context.request.get(address).text())
    assert found
    return found[1]
