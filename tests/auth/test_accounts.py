"""Accounts: a password finds its own account and reveals nothing about others."""

import pytest
from sqlalchemy import select

from tests.factories import NOW, SeededIds, get_account, get_workspace, is_password_of, on_both_databases
from webapp.audit import COMMAND_LINE
from webapp.auth.accounts import add_account, change_password, find_by_email, set_active
from webapp.auth.email_address import InvalidEmail
from webapp.auth.password_strength import WeakPassword
from webapp.auth.session_lifetime import find_signed_in, sign_in
from webapp.extensions import db
from webapp.models import Account, Member, Role, SignIn
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

PASSWORD = "rowing boat, 17 oars"


@pytest.fixture
def account(context: None) -> Account:
    return add_account("owner@example.com", "Owner", PASSWORD, NOW)


@on_both_databases
@pytest.mark.parametrize("email", ["owner@example.com", "Owner@Example.COM", "  owner@example.com\n"])
def test_an_address_finds_its_account_in_any_case_and_with_surrounding_space(account: Account, email: str) -> None:
    assert find_by_email(email) == account


@on_both_databases
@pytest.mark.parametrize(
    "email", ["", "nobody@example.com", "%", "owner@example.com' OR 1=1 --", "owner\x00@example.com"]
)
def test_an_unknown_address_finds_nobody(account: Account, email: str) -> None:
    assert find_by_email(email) is None


def test_an_address_is_stored_in_lower_case_without_surrounding_space(context: None) -> None:
    assert add_account(" Grace@Example.com ", "Grace", None, NOW).email == "grace@example.com"


@pytest.mark.parametrize("email", ["grace", "gr\u200bace@example.com", ""])
def test_an_account_needs_an_email_address(context: None, email: str) -> None:
    with pytest.raises(InvalidEmail):
        add_account(email, "Grace", None, NOW)


@pytest.mark.parametrize(
    "password", ["owner@example.com", "Owner-owner-owner", "elsewhere 2026", "alertcheck1234", "short"]
)
def test_an_account_refuses_a_weak_password(account: Account, password: str) -> None:
    set_role(add_workspace("elsewhere", "Elsewhere", NOW), account, Role.VIEWER)
    db.session.flush()

    with pytest.raises(WeakPassword):
        change_password(account, password, NOW, COMMAND_LINE)

    assert is_password_of(account, PASSWORD)


def test_a_new_account_refuses_a_weak_password(context: None) -> None:
    with pytest.raises(WeakPassword):
        add_account("grace@example.com", "Grace", "grace@example.com", NOW)


def test_a_password_is_stored_as_an_argon2id_hash(account: Account) -> None:
    assert str(account.password_hash).startswith("$argon2id$")


def test_the_same_password_is_never_stored_as_the_same_hash(account: Account) -> None:
    assert add_account("grace@example.com", "Grace", PASSWORD, NOW).password_hash != account.password_hash


def test_a_new_password_replaces_the_old_one(account: Account) -> None:
    change_password(account, "another boat, 3 oars", NOW, COMMAND_LINE)

    assert not is_password_of(account, PASSWORD)
    assert is_password_of(account, "another boat, 3 oars")


def test_a_new_password_ends_every_session_of_its_account_only(account: Account) -> None:
    other = add_account("grace@example.com", "Grace", None, NOW)
    sign_in(account, NOW)
    sign_in(other, NOW)
    change_password(account, "another boat, 3 oars", NOW, COMMAND_LINE)

    assert list(db.session.scalars(select(SignIn.account_id))) == [other.id]


def test_disabling_an_account_ends_its_sessions_even_if_it_is_enabled_again(account: Account) -> None:
    sign_in(account, NOW)
    set_active(account, False)
    set_active(account, True)

    assert find_signed_in(account.get_id(), NOW) is None


def test_a_role_belongs_to_one_workspace(context: None, seeded: SeededIds) -> None:
    elsewhere = add_workspace("elsewhere", "Elsewhere", NOW)
    set_role(elsewhere, get_account(seeded), Role.VIEWER)
    db.session.flush()

    assert db.session.get_one(Member, (seeded.harbor, seeded.admin)).role is Role.ADMIN
    assert db.session.get_one(Member, (elsewhere.id, seeded.admin)).role is Role.VIEWER


@on_both_databases
def test_a_role_can_be_changed(context: None, seeded: SeededIds) -> None:
    set_role(get_workspace(seeded), get_account(seeded), Role.SUPPORT)
    db.session.flush()

    assert db.session.get_one(Member, (seeded.harbor, seeded.admin), populate_existing=True).role is Role.SUPPORT
