"""How accounts sign in."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from flask import Flask

from tests.factories import CHEAP_HASH, NOW, SeededIds
from tests.single_sign_on.set_up_later import PROVIDER, link, set_provider
from webapp.auth.external_identities import add_identity
from webapp.auth.sign_in_methods import SignInMethod, find_sign_in_methods
from webapp.extensions import db
from webapp.models import Account
from webapp.settings.single_sign_on import SingleSignOn


@pytest.mark.usefixtures("context")
def test_all_accounts_are_looked_up_with_one_query(
    seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    db.session.get_one(Account, seeded.admin).password_hash = CHEAP_HASH
    db.session.commit()

    with count_queries() as statements:
        methods = find_sign_in_methods([seeded.admin, seeded.viewer])

    assert methods == {seeded.admin: [SignInMethod.PASSWORD], seeded.viewer: []}
    assert len(statements) == 1


@pytest.fixture
def three(app: Flask, context: None, seeded: SeededIds) -> list[int]:
    """An account with a password, one of a company account, and one with both, which an instance admin can make."""
    for account_id in (seeded.admin, seeded.support):
        db.session.get_one(Account, account_id).password_hash = CHEAP_HASH
    for account_id in (seeded.viewer, seeded.support):
        link(db.session.get_one(Account, account_id))
    db.session.commit()
    return [seeded.admin, seeded.viewer, seeded.support]


PASSWORD, COMPANY = SignInMethod.PASSWORD, SignInMethod.COMPANY_ACCOUNT


def test_a_company_account_is_a_way_to_sign_in(
    app: Flask,
    three: list[int],
    monkeypatch: pytest.MonkeyPatch,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    set_provider(app, monkeypatch)
    with count_queries() as statements:
        methods = find_sign_in_methods(three)

    assert list(methods.values()) == [[PASSWORD], [COMPANY], [PASSWORD, COMPANY]]
    assert len(statements) == 2


def test_passwords_that_are_turned_off_are_none(app: Flask, three: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    set_provider(app, monkeypatch, replace(PROVIDER, is_only=True))

    assert list(find_sign_in_methods(three).values()) == [[], [COMPANY], [COMPANY]]


@pytest.mark.parametrize("provider", [None, replace(PROVIDER, issuer="https://other.example.com")])
def test_an_account_at_a_provider_that_is_not_asked_any_more_is_none(
    app: Flask, three: list[int], monkeypatch: pytest.MonkeyPatch, provider: SingleSignOn | None
) -> None:
    set_provider(app, monkeypatch, provider)

    assert list(find_sign_in_methods(three).values()) == [[PASSWORD], [], [PASSWORD]]


def test_an_account_at_two_providers_is_listed_once(
    app: Flask, three: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_provider(app, monkeypatch)
    add_identity(db.session.get_one(Account, three[1]), "https://other.example.com", "s", NOW)

    assert find_sign_in_methods(three)[three[1]] == [COMPANY]
