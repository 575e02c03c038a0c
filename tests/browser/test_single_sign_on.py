"""The sign-in at a provider, in Chromium: there and back through every rule of a browser, and out at both ends."""

import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.browser.page_checks import NOTE_VIOLATIONS, find_faults
from tests.factories import SeededIds
from tests.single_sign_on.provider import CLIENT_ID, CLIENT_SECRET, TestProvider, running_provider

BUTTON = "Sign in with Harbor account"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as reserved:
        yield reserved


@pytest.fixture
def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def provider(address: str) -> Iterator[TestProvider]:
    with running_provider(address) as provider:
        provider.users["ada"]["groups"] = ["ops"]
        yield provider


@pytest.fixture
def environment(environment: dict[str, str], provider: TestProvider, address: str) -> dict[str, str]:
    oidc = {
        "ALERTCHECK_PUBLIC_URL": address,
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "OIDC_NAME": "Harbor account",
        "OIDC_ROLES": "ops:harbor=admin",
    }
    return environment | oidc


@pytest.fixture
def tab(chromium: Browser, app: Flask, seeded: SeededIds, listener: socket.socket, address: str) -> Iterator[Page]:
    """A tab on an installation that has a provider."""
    server = make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno())
    Thread(target=server.serve_forever, daemon=True).start()
    with chromium.new_context(base_url=address) as context:
        page = context.new_page()
        page.add_init_script(NOTE_VIOLATIONS)
        yield page
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_somebody_signs_in_at_the_provider_and_out_at_both_ends(tab: Page, provider: TestProvider) -> None:
    tab.goto("/w/harbor/history")
    tab.get_by_role("button", name=BUTTON).click()
    expect(tab).to_have_url(f"{provider.public_url}/w/harbor/history")
    tab.locator(".account summary").click()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(tab).to_have_url(f"{provider.public_url}/sign-in")

    assert provider.requested.count("/logout") == 1
    tab.goto("/workspaces")
    expect(tab.get_by_role("button", name=BUTTON)).to_be_visible()


@pytest.mark.slow
def test_the_sign_in_page_and_a_refusal_are_accessible_at_every_width(tab: Page, provider: TestProvider) -> None:
    provider.users["ada"]["groups"] = []
    tab.goto("/sign-in")
    assert find_faults(tab) == []
    tab.get_by_role("button", name=BUTTON).click()
    expect(tab.get_by_role("alert")).to_contain_text("You do not have access to Alertcheck yet.")
    assert find_faults(tab) == []

    assert tab.evaluate("violations") == []
