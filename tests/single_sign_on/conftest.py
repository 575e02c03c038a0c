"""An installation with a provider, and a browser that signs in there."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import SeededIds
from tests.single_sign_on.provider import CLIENT_ID, CLIENT_SECRET, PUBLIC_URL, TestProvider, running_provider
from tests.visitor import Visitor

ROLES = "ops:harbor=admin,helpdesk:harbor=support,CN=desk%2COU=x:clinic=viewer,ops:nowhere=admin"

SignIn = Callable[..., TestResponse]


@pytest.fixture(scope="session")
def running() -> Iterator[TestProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: TestProvider) -> TestProvider:
    """The provider, which behaves."""
    running.reset()
    return running


@pytest.fixture
def oidc_settings() -> dict[str, str]:
    """Further settings of a test."""
    return {}


@pytest.fixture
def environment(environment: dict[str, str], provider: TestProvider, oidc_settings: dict[str, str]) -> dict[str, str]:
    oidc = {
        "ALERTCHECK_PUBLIC_URL": PUBLIC_URL,
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "OIDC_NAME": "Harbor account",
        "OIDC_ROLES": ROLES,
    }
    return environment | oidc | oidc_settings


@pytest.fixture
def browser(app: Flask, seeded: SeededIds) -> Visitor:
    """A browser on the sign-in page."""
    return Visitor.anonymous(app)


@pytest.fixture
def sign_in(browser: Visitor, provider: TestProvider) -> SignIn:
    """Sign in by the button, at the provider and back; returns the last response. next_path: where from."""

    def run(next_path: str = "") -> TestResponse:
        begun = browser.get("/sign-in/provider", query_string={"next": next_path} if next_path else {})
        assert begun.status_code == 302, begun.text
        return browser.get(provider.sign_in(begun.location))

    return run
