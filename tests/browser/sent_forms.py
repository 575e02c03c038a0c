"""Submits forms by requests of a browser's session: a form that is opened and filled in takes more CPU time."""

import re

from playwright.sync_api import BrowserContext

from tests.browser.running_demo import RunningDemo

ADD_WEBHOOK = "/w/harbor/destinations/new/webhook"


def add_named(context: BrowserContext, demo: RunningDemo, name: str, scenario: str = "works") -> str:
    """Add a webhook by a request of a session. Returns the path of its page."""
    fields = {"name": name, "address": demo.receiver(f"webhook/{scenario}"), "signing_secret": demo.signing_secret()}
    return send(context, f"{demo.address}{ADD_WEBHOOK}", fields).removeprefix(demo.address)


def send(context: BrowserContext, address: str, fields: dict[str, str] | None = None) -> str:
    """Submit a form by a request of a session. Returns the address that it leads to."""
    origin = re.match(r"http://[^/]+", address)
    assert origin
    page = context.request.get(f"{origin[0]}/account").text()
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    response = context.request.post(
        address, form={"csrf_token": found[1]} | (fields or {}), headers={"Referer": address}
    )
    assert response.ok, response.status
    return response.url
