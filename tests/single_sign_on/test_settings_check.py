"""What `check-settings` finds out about the provider, without signing anybody in."""

from typing import Any

import pytest

from tests.factories import SeededIds
from tests.single_sign_on.provider import TestProvider
from webapp.application_core import create_core
from webapp.settings import read_settings
from webapp.settings_check.finding import Finding, Severity
from webapp.settings_check.sign_in_checks import check_sign_in

DISCOVERY = "/.well-known/openid-configuration"
NOWHERE = "OIDC_ROLES names workspaces that do not exist: nowhere."


def _find() -> list[tuple[Severity, str]]:
    return [(found.severity, found.text) for found in check_sign_in()]


def test_a_workspace_that_does_not_exist_is_noted(context: None, seeded: SeededIds, provider: TestProvider) -> None:
    assert _find() == [(Severity.NOTE, NOWHERE)]
    assert provider.requested == [DISCOVERY, "/jwks"]


class TestAllWell:
    @pytest.fixture
    def oidc_settings(self) -> dict[str, str]:
        return {"OIDC_ROLES": "ops:harbor=admin"}

    def test_a_provider_that_fits_is_ok(self, context: None, seeded: SeededIds) -> None:
        text = "The provider responds, and fits the settings."
        assert check_sign_in() == [Finding("sign-in", Severity.OK, text)]


@pytest.mark.parametrize(
    ("changed", "severity", "words"),
    [
        ({"issuer": "https://login.example.com/"}, Severity.PROBLEM, "issuer of the provider is not OIDC_ISSUER"),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, Severity.PROBLEM, "Give the client a signing key there"),
        ({"end_session_endpoint": None}, Severity.NOTE, "has no page for signing out"),
        ({"token_endpoint": "http://login.example.com"}, Severity.PROBLEM, "has to be JSON with https addresses"),
    ],
)
def test_what_does_not_fit_is_named(
    context: None, seeded: SeededIds, provider: TestProvider, changed: dict[str, Any], severity: Severity, words: str
) -> None:
    provider.changed_metadata = changed
    (found, _) = check_sign_in()

    assert found.severity is severity
    assert words in found.text
    assert "http://" not in found.text


def test_a_page_in_place_of_the_document_is_named(context: None, seeded: SeededIds, provider: TestProvider) -> None:
    provider.answers[DISCOVERY] = lambda handler: handler.send_bytes(b"<!doctype html>")

    assert "it is the address before /.well-known/openid-configuration" in check_sign_in()[0].text


class TestDown:
    @pytest.fixture
    def oidc_settings(self) -> dict[str, str]:
        return {"OIDC_ISSUER": "http://127.0.0.1:1"}

    def test_what_the_connection_showed_is_reported(self, context: None, seeded: SeededIds) -> None:
        (found, _) = check_sign_in()

        assert (found.severity, found.text.endswith("Check OIDC_ISSUER.")) == (Severity.PROBLEM, True)
        assert "127.0.0.1" in found.text


class TestWithout:
    @pytest.fixture
    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        return {name: text for name, text in environment.items() if not name.startswith("OIDC_")}

    def test_nothing_is_said_where_there_is_no_provider(self, context: None) -> None:
        assert check_sign_in() == []


def test_a_command_which_has_no_pages_checks_the_provider_too(environment: dict[str, str], seeded: SeededIds) -> None:
    with create_core(read_settings(environment)).app_context():
        (found, *_) = check_sign_in()

    assert found.part == "sign-in"
