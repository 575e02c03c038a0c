"""The audit trail tells that sign-ins are refused: once when a window opens, once with the count when it ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.factories import NOW, SeededIds, get_account, on_both_databases
from webapp.auth import refused_sign_ins
from webapp.auth.refused_sign_ins import report_refused_sign_ins
from webapp.auth.sign_in_limits import TooManyTries, begin_try, count_try, uncount_try
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Role, SignInWindow
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

EMAIL = "admin@example.com"
WINDOW_END = NOW + timedelta(minutes=15)


@pytest.fixture(autouse=True)
def long_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one run report everything, however busy the machine is."""
    monkeypatch.setattr(refused_sign_ins, "PASS_TIME", 60.0)


@pytest.fixture
def account(context: None, seeded: SeededIds) -> Account:
    return get_account(seeded)


def _refuse(times: int, email: str = EMAIL, now: datetime = NOW, network: int = 0) -> None:
    account_id = db.session.scalar(select(Account.id).where(Account.email == email))
    for number in range(times):
        count_try(begin_try(email, f"198.51.{network}.{number // 10}", now), account_id)
    db.session.commit()


def _trail() -> list[tuple[str, str, str, list[str], str, datetime]]:
    """List the reports of all workspaces, oldest first."""
    events = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "tried to sign in").order_by(AuditEvent.id)
    )
    return [
        (event.account_name, event.action, event.subject, event.changed, event.result, event.happened_at)
        for event in events
    ]


def _opened(at: datetime) -> tuple[str, str, str, list[str], str, datetime]:
    return "Unknown visitor", "tried to sign in", "Admin (account 1)", [], "refused", at


def _ended(count: str, at: datetime) -> tuple[str, str, str, list[str], str, datetime]:
    return "Unknown visitor", "tried to sign in", "Admin (account 1)", [f"{count} in 15 minutes"], "refused", at


@on_both_databases
def test_a_window_of_refused_sign_ins_adds_two_rows_however_many_there_were(account: Account) -> None:
    first = NOW + timedelta(seconds=7)
    for second in range(3):
        _refuse(10, now=first + timedelta(seconds=second), network=second)
        report_refused_sign_ins(first + timedelta(seconds=second))
    report_refused_sign_ins(WINDOW_END - timedelta(microseconds=1))
    before = _trail()
    report_refused_sign_ins(WINDOW_END)
    report_refused_sign_ins(WINDOW_END + timedelta(hours=1))

    assert (before, _trail()) == ([_opened(first)], [_opened(first), _ended("30 times", WINDOW_END)])


def test_a_single_refusal_is_counted_as_one(account: Account) -> None:
    _refuse(1)
    report_refused_sign_ins(WINDOW_END)

    assert _trail() == [_opened(NOW), _ended("1 time", WINDOW_END)]


def test_the_next_window_is_reported_by_itself(account: Account) -> None:
    _refuse(2)
    _refuse(3, now=WINDOW_END)
    report_refused_sign_ins(WINDOW_END + timedelta(minutes=15))

    assert [changed for _, _, _, changed, _, _ in _trail() if changed] == [
        ["2 times in 15 minutes"],
        ["3 times in 15 minutes"],
    ]


def test_tries_beyond_the_limit_add_no_row(account: Account) -> None:
    _refuse(30)
    with pytest.raises(TooManyTries):
        _refuse(1)
    db.session.rollback()
    report_refused_sign_ins(WINDOW_END)

    assert _trail()[-1] == _ended("30 times", WINDOW_END)


def test_each_workspace_of_the_account_is_told(account: Account) -> None:
    set_role(add_workspace("elsewhere", "Elsewhere", NOW), account, Role.VIEWER)
    _refuse(1)
    report_refused_sign_ins(NOW)

    assert _trail() == [_opened(NOW)] * 2


def test_an_unknown_address_leaves_no_trace_after_its_window(account: Account) -> None:
    _refuse(5, "nobody@example.com")
    report_refused_sign_ins(NOW)
    kept = db.session.scalar(select(func.count()).select_from(SignInWindow))
    report_refused_sign_ins(WINDOW_END)

    assert (kept, db.session.scalar(select(func.count()).select_from(SignInWindow)), _trail()) == (2, 0, [])


def test_a_sign_in_that_succeeds_is_not_reported(account: Account) -> None:
    attempt = begin_try(EMAIL, "192.0.2.1", NOW)
    count_try(attempt, account.id)
    uncount_try(attempt)
    db.session.commit()
    report_refused_sign_ins(WINDOW_END)

    assert _trail() == []


def test_a_run_that_takes_long_leaves_the_rest_to_the_next_one(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_sign_ins, "PASS_TIME", 0.0)
    for number in range(3):
        _refuse(1, f"nobody-{number}@example.com")

    left = []
    for _ in range(4):
        report_refused_sign_ins(WINDOW_END)
        left.append(db.session.scalar(select(func.count()).select_from(SignInWindow)))

    assert left == [5, 4, 3, 2]  # of two windows for each, of the address and of the client


@on_both_databases
def test_several_workers_report_a_window_once(app: Flask, account: Account) -> None:
    _refuse(3)

    def report(_number: int) -> None:
        with app.app_context():
            report_refused_sign_ins(WINDOW_END)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(report, range(12)))

    assert _trail() == [_opened(NOW), _ended("3 times", WINDOW_END)]


@on_both_databases
def test_the_number_of_counted_addresses_is_bounded_and_accounts_are_kept(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_sign_ins, "MAX_ROWS", 7)
    _refuse(1)
    for number in range(10):
        _refuse(1, f"nobody-{number}@example.com", NOW + timedelta(seconds=number))

    report_refused_sign_ins(NOW + timedelta(seconds=10))

    windows = db.session.scalars(select(SignInWindow)).all()
    assert len(windows) == 7
    assert [window.account_id for window in windows if window.account_id] == [account.id]
    assert min(window.first_refused_at for window in windows if not window.account_id) == NOW + timedelta(seconds=7)


def test_a_backlog_of_ended_windows_is_removed_in_steps(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_sign_ins, "_DUE", refused_sign_ins._DUE.limit(3))
    for number in range(3):
        _refuse(1, f"nobody-{number}@example.com")

    left = []
    for _ in range(3):
        report_refused_sign_ins(WINDOW_END)
        left.append(db.session.scalar(select(func.count()).select_from(SignInWindow)))

    assert left == [3, 0, 0]
