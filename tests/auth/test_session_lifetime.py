"""A session finds its account for twelve hours, unless it is ended before."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.factories import NOW, on_both_databases
from webapp.auth.accounts import add_account
from webapp.auth.session_lifetime import find_signed_in, sign_in, sign_out
from webapp.extensions import db
from webapp.models import Account, SignIn


@pytest.fixture
def account(context: None) -> Account:
    return add_account("owner@example.com", "Owner", None, NOW)


@on_both_databases
def test_a_session_finds_its_account(account: Account) -> None:
    sign_in(account, NOW)

    assert find_signed_in(account.get_id(), NOW) == account


def test_two_sessions_of_one_account_never_have_the_same_id(account: Account) -> None:
    sign_in(account, NOW)
    first = account.get_id()
    sign_in(account, NOW)

    assert account.get_id() != first


@pytest.mark.parametrize("sign_in_id", ["", "1", "%", "x" * 43])
def test_an_unknown_session_finds_nobody(account: Account, sign_in_id: str) -> None:
    sign_in(account, NOW)

    assert find_signed_in(sign_in_id, NOW) is None


@on_both_databases
@pytest.mark.parametrize(("left", "is_alive"), [(timedelta(microseconds=1), True), (timedelta(0), False)])
def test_a_session_ends_after_twelve_hours(account: Account, left: timedelta, is_alive: bool) -> None:
    sign_in(account, NOW)

    found = find_signed_in(account.get_id(), NOW + timedelta(hours=12) - left)

    assert (found is not None) is is_alive


def test_an_expired_session_is_removed_at_the_next_sign_in(account: Account) -> None:
    sign_in(account, NOW)
    sign_in(account, NOW + timedelta(hours=12))

    assert list(db.session.scalars(select(SignIn.id))) == [account.get_id()]


def test_signing_out_ends_only_this_session(account: Account) -> None:
    sign_in(account, NOW)
    other = account.get_id()
    sign_in(account, NOW)
    ended = account.get_id()
    sign_out(account, NOW)

    assert (find_signed_in(ended, NOW), find_signed_in(other, NOW)) == (None, account)


def test_a_session_of_a_disabled_account_finds_nobody(account: Account) -> None:
    sign_in(account, NOW)
    account.is_active = False

    assert find_signed_in(account.get_id(), NOW) is None
