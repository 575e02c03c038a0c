"""A password is right only for its own account, and checking it takes as long if there is no account."""

import time

import pytest
from argon2 import Type, extract_parameters

from tests.factories import NOW, SeededIds, on_both_databases
from webapp.auth import passwords
from webapp.auth.accounts import add_account
from webapp.auth.passwords import hash_password, load_password
from webapp.extensions import db
from webapp.models import Account

EMAIL, PASSWORD = "owner@example.com", "rowing boat, 17 oars"


@pytest.fixture
def account(context: None) -> Account:
    return add_account(EMAIL, "Owner", PASSWORD, NOW)


def _is_right(email: str, password: str) -> bool:
    db.session.flush()
    return load_password(email).is_right(password)


@on_both_databases
def test_the_right_password_is_right(account: Account) -> None:
    assert _is_right(EMAIL, PASSWORD)


@pytest.mark.parametrize(
    "password", ["", PASSWORD + " ", PASSWORD.upper(), "the password of nobody", PASSWORD + "\x00"]
)
def test_any_other_password_is_wrong(account: Account, password: str) -> None:
    assert not _is_right(EMAIL, password)


@on_both_databases
@pytest.mark.parametrize("email", ["nobody@example.com", "%", "OWNER@example.com"])
@pytest.mark.parametrize("password", [PASSWORD, "the password of nobody"])
def test_no_password_is_right_for_an_address_without_account(account: Account, email: str, password: str) -> None:
    assert not _is_right(email, password)


@pytest.mark.parametrize("password", ["", "the password of nobody"])
def test_no_password_is_right_for_an_account_without_one(context: None, seeded: SeededIds, password: str) -> None:
    assert not _is_right("admin@example.com", password)


def test_no_password_is_right_for_a_disabled_account(account: Account) -> None:
    account.is_active = False

    assert not _is_right(EMAIL, PASSWORD)


def test_no_password_is_right_for_a_damaged_hash(account: Account) -> None:
    account.password_hash = "not a hash"

    assert not _is_right(EMAIL, PASSWORD)


@pytest.mark.usefixtures("production_hashes")
def test_an_unknown_address_takes_as_long_as_a_wrong_password(account: Account) -> None:
    assert _measure("nobody@example.com") > _measure(EMAIL) / 3


@pytest.mark.usefixtures("production_hashes")
def test_a_password_is_checked_at_the_cost_of_new_hashes_if_there_is_no_account() -> None:
    dummy, new = extract_parameters(passwords._DUMMY_HASH), extract_parameters(hash_password(PASSWORD))

    assert dummy == new


@pytest.mark.usefixtures("production_hashes")
def test_a_hash_costs_what_the_rfc_recommends() -> None:
    cost = extract_parameters(hash_password(PASSWORD))

    # The second option of RFC 9106, section 4: 64 MiB, in KiB.
    assert (cost.type, cost.time_cost, cost.memory_cost, cost.parallelism) == (Type.ID, 3, 64 * 1024, 4)


def _measure(email: str) -> float:
    """Return the CPU seconds of checking a wrong password. Without a hash to check they are close to zero."""
    started = time.process_time()
    _is_right(email, "wrong")
    return time.process_time() - started
