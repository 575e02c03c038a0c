"""Signing in by password: the limits per account, what a refusal reveals, and what is remembered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.factories import NOW, is_password_of, on_both_databases
from webapp.audit import COMMAND_LINE
from webapp.auth import passwords
from webapp.auth.accounts import add_account, change_own_password, change_password, set_active
from webapp.auth.external_identities import link_account
from webapp.auth.known_clients import LIFETIME, MAX_PER_ACCOUNT
from webapp.auth.password_reset import make_reset_link, reset_password
from webapp.auth.password_sign_in import check_sign_in
from webapp.auth.sign_in_limits import TooManyTries
from webapp.extensions import db
from webapp.models import Account, KnownClient, SignInWindow

EMAIL, PASSWORD, WRONG = "owner@example.com", "rowing boat, 17 oars", "rowing boat, 18 oars"
HOME, STRANGE = "192.0.2.1", "198.51.100.{}"

CountQueries = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def account(context: None) -> Account:
    account = add_account(EMAIL, "Owner", PASSWORD, NOW)
    db.session.commit()
    return account


def _try(password: str, client: str = HOME, now: datetime = NOW, email: str = EMAIL) -> str:
    """Try to sign in, and return the result in one word."""
    try:
        found = check_sign_in(email, password, client, now)
    except TooManyTries:
        db.session.rollback()
        return "limited"
    db.session.commit()
    return "in" if found else "refused"


def _refuse(times: int, client: str = HOME, email: str = EMAIL, now: datetime = NOW) -> list[str]:
    return [_try(WRONG, client, now, email) for _ in range(times)]


def _refuse_strangers(times: int) -> list[str]:
    """Refuse tries from as many clients as are needed."""
    return [_try(WRONG, STRANGE.format(number // 10)) for number in range(times)]


@on_both_databases
def test_the_right_password_signs_in_and_is_not_counted(account: Account) -> None:
    assert [_try(PASSWORD) for _ in range(11)] == ["in"] * 11
    assert db.session.scalar(select(func.count()).select_from(SignInWindow)) == 0


@on_both_databases
@pytest.mark.parametrize(("refusals", "result"), [(9, "in"), (10, "limited")])
def test_a_client_gets_10_wrong_passwords_for_an_account(account: Account, refusals: int, result: str) -> None:
    assert _refuse(refusals) == ["refused"] * refusals
    assert _try(PASSWORD) == result


def test_a_limited_client_does_not_limit_the_others(account: Account) -> None:
    _refuse(40)

    assert _try(PASSWORD, STRANGE.format(1)) == "in"


@on_both_databases
@pytest.mark.parametrize(("refusals", "result"), [(29, "in"), (30, "limited")])
def test_an_account_gets_30_wrong_passwords_from_strangers(account: Account, refusals: int, result: str) -> None:
    assert _refuse_strangers(refusals) == ["refused"] * refusals
    assert _try(PASSWORD, STRANGE.format(99)) == result


@on_both_databases
def test_strangers_do_not_lock_the_owner_out_of_a_client_used_before(account: Account) -> None:
    _try(PASSWORD)
    _refuse_strangers(31)

    assert (_try(PASSWORD, STRANGE.format(99)), _try(PASSWORD)) == ("limited", "in")


def test_a_client_used_before_is_limited_too(account: Account) -> None:
    _try(PASSWORD)

    assert _refuse(11) == ["refused"] * 10 + ["limited"]


def test_wrong_passwords_from_a_client_used_before_do_not_count_against_strangers(account: Account) -> None:
    _try(PASSWORD)
    _refuse(10)

    assert _refuse_strangers(31) == ["refused"] * 30 + ["limited"]


def test_behind_a_proxy_that_hides_every_address_the_limit_still_holds(account: Account) -> None:
    _try(PASSWORD, "unknown")

    assert _refuse(11, "unknown")[-1] == "limited"


def test_a_client_used_for_another_account_is_a_stranger(account: Account) -> None:
    add_account("grace@example.com", "Grace", PASSWORD, NOW)
    db.session.commit()
    _try(PASSWORD, email="grace@example.com")
    _refuse_strangers(30)

    assert _try(PASSWORD) == "limited"


def test_a_sign_in_elsewhere_gives_strangers_no_more_tries(account: Account) -> None:
    _refuse_strangers(29)
    _try(PASSWORD)

    assert [_try(WRONG, STRANGE.format(50)) for _ in range(2)] == ["refused", "limited"]


def test_another_accounts_limit_is_its_own(account: Account) -> None:
    _refuse(11, email="grace@example.com")

    assert _try(PASSWORD) == "in"


@pytest.mark.parametrize(("minutes", "result"), [(14, "limited"), (15, "in")])
def test_a_limit_ends_with_its_quarter_of_an_hour(account: Account, minutes: int, result: str) -> None:
    _refuse(10, now=NOW)

    assert _try(PASSWORD, now=NOW + timedelta(minutes=minutes)) == result


@pytest.mark.parametrize(("minutes", "left"), [(0, 15), (14, 1)])
def test_a_limit_gives_the_time_until_it_ends(account: Account, minutes: int, left: int) -> None:
    _refuse(10)

    with pytest.raises(TooManyTries) as caught:
        check_sign_in(EMAIL, PASSWORD, HOME, NOW + timedelta(minutes=minutes))

    assert caught.value.wait == timedelta(minutes=left)


@on_both_databases
def test_tries_at_the_same_time_do_not_exceed_the_limit(app: Flask, account: Account) -> None:
    def run(_number: int) -> str:
        with app.app_context():
            return _try(WRONG)

    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(run, range(32)))

    assert (results.count("refused"), results.count("limited")) == (10, 22)


@on_both_databases
def test_of_tries_at_the_same_time_the_right_password_is_among_the_first_30_or_limited(
    app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = passwords.StoredPassword.is_right

    def check_while_others_use_up_the_limit(stored: passwords.StoredPassword, password: str) -> bool:
        monkeypatch.setattr(passwords.StoredPassword, "is_right", check)
        _refuse_strangers(30)
        return stored.is_right(password)

    monkeypatch.setattr(passwords.StoredPassword, "is_right", check_while_others_use_up_the_limit)

    assert _try(PASSWORD) == "limited"


@on_both_databases
def test_sign_ins_at_the_same_time_all_succeed(app: Flask, account: Account) -> None:
    def run(_number: int) -> str:
        with app.app_context():
            return _try(PASSWORD)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(run, range(9)))

    assert results == ["in"] * 9
    assert list(db.session.scalars(select(KnownClient.account_id))) == [account.id]


@pytest.fixture(params=["unknown", "without a password", "disabled"])
def other_email(request: pytest.FixtureRequest, account: Account) -> str:
    """An address that cannot sign in, for another reason than a wrong password."""
    email = f"{request.param.replace(' ', '.')}@example.com"
    if request.param != "unknown":
        other = add_account(email, "Other", PASSWORD if request.param == "disabled" else None, NOW)
        set_active(other, request.param != "disabled")
        db.session.commit()
    return email


@on_both_databases
def test_the_database_does_the_same_work_for_every_refused_sign_in(
    account: Account, other_email: str, count_queries: CountQueries
) -> None:
    with count_queries() as known:
        _refuse(2)
    with count_queries() as other:
        _refuse(2, email=other_email)

    assert known == other
    assert len(known) == 2 * 5  # the client, both counts, the account; one write, both counts again


def test_an_unknown_address_is_limited_like_an_account(account: Account, other_email: str) -> None:
    assert _refuse(11, email=other_email) == _refuse(11)


def test_what_is_stored_of_a_refused_sign_in_holds_no_address(account: Account) -> None:
    _refuse(1, client=HOME, email="typed-in-the-wrong-field")
    _try(PASSWORD, HOME)

    rows = [
        str(row)
        for table in (SignInWindow, KnownClient)
        for row in db.session.execute(select(*table.__table__.columns))
    ]

    assert len(rows) == 3
    assert [row for row in rows if "wrong-field" in row or HOME in row or "owner" in row] == []


@on_both_databases
def test_the_clients_used_last_are_remembered(account: Account) -> None:
    for number in range(MAX_PER_ACCOUNT + 1):
        _try(PASSWORD, STRANGE.format(100 + number), NOW + timedelta(seconds=number))
    _refuse_strangers(30)

    now = NOW + timedelta(minutes=1)
    results = [_try(PASSWORD, STRANGE.format(100 + number), now) for number in range(MAX_PER_ACCOUNT + 1)]

    assert results == ["limited"] + ["in"] * MAX_PER_ACCOUNT


@pytest.mark.parametrize(("unused", "result"), [(LIFETIME - timedelta(seconds=1), "in"), (LIFETIME, "limited")])
def test_a_client_is_forgotten_after_90_days_without_use(account: Account, unused: timedelta, result: str) -> None:
    _try(PASSWORD, now=NOW - unused)
    _refuse_strangers(30)

    assert _try(PASSWORD) == result


def test_clients_of_all_accounts_that_are_forgotten_are_deleted(account: Account) -> None:
    add_account("grace@example.com", "Grace", PASSWORD, NOW)
    db.session.commit()
    _try(PASSWORD, email="grace@example.com", now=NOW - LIFETIME)
    _try(PASSWORD)

    assert list(db.session.scalars(select(KnownClient.account_id))) == [account.id]


def test_a_new_password_forgets_every_client(account: Account) -> None:
    _try(PASSWORD)
    _change(account)
    db.session.commit()
    _refuse_strangers(30)

    assert _try("another boat, 3 oars") == "limited"


def _change(account: Account) -> None:
    change_password(account, "another boat, 3 oars", NOW, COMMAND_LINE)


def _reset(account: Account) -> None:
    reset_password(make_reset_link(account, NOW, COMMAND_LINE), "another boat, 3 oars", NOW)


def _link(account: Account) -> None:
    link_account(account, "https://id.example", "1", NOW, COMMAND_LINE)


def _disable(account: Account) -> None:
    set_active(account, False)


def _replace_and_enable(account: Account) -> None:
    _disable(account)
    _change(account)
    set_active(account, True)


@pytest.fixture(params=[_change, _reset, _link, _disable, _replace_and_enable])
def _password_ends_during_check(
    request: pytest.FixtureRequest, app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else ends the password while it is being checked."""
    check, account_id = passwords.StoredPassword.is_right, account.id

    def end() -> None:
        with app.app_context():
            request.param(db.session.get_one(Account, account_id))
            db.session.commit()

    def check_while_it_ends(stored: passwords.StoredPassword, password: str) -> bool:
        monkeypatch.setattr(passwords.StoredPassword, "is_right", check)
        db.session.rollback()
        with ThreadPoolExecutor(1) as threads:
            threads.submit(end).result()
        return check(stored, password)

    monkeypatch.setattr(passwords.StoredPassword, "is_right", check_while_it_ends)


@on_both_databases
@pytest.mark.usefixtures("_password_ends_during_check")
def test_a_password_that_ends_while_it_is_checked_signs_nobody_in() -> None:
    assert _try(PASSWORD) == "refused"


@on_both_databases
@pytest.mark.usefixtures("_password_ends_during_check")
def test_a_password_that_ends_while_it_is_checked_is_not_replaced_by_its_user(account: Account) -> None:
    assert not change_own_password(account, PASSWORD, "a third boat, 5 oars", NOW)

    db.session.commit()
    assert not is_password_of(account, "a third boat, 5 oars")
