"""Sets up a provider in an application that runs, for tests that ask no provider anything."""

from dataclasses import replace

import pytest
from flask import Flask

from webapp.app_state import app_state
from webapp.auth.external_identities import add_identity
from webapp.models import Account, database_clock
from webapp.settings.single_sign_on import SingleSignOn

ISSUER = "https://login.example.com"
PROVIDER = SingleSignOn(
    issuer=ISSUER,
    client_id="alertcheck",
    client_secret="canary",
    name="Harbor account",
    groups_claim="groups",
    group_roles=(),
    is_only=False,
    public_url="http://localhost",
)


def set_provider(app: Flask, monkeypatch: pytest.MonkeyPatch, provider: SingleSignOn | None = PROVIDER) -> None:
    """Let the settings have another provider, or none, until the end of the test."""
    state = app_state(app)
    monkeypatch.setattr(state, "settings", replace(state.settings, single_sign_on=provider))


def link(account: Account) -> None:
    """Let an account be somebody's at the provider. The caller commits."""
    add_identity(account, ISSUER, f"subject of {account.id}", database_clock.now())
