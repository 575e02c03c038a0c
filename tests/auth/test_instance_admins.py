"""Instance admins: who is one, and that the last one stays."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.auth.overlapping import run_overlapping
from tests.factories import NOW, SeededIds, on_both_databases
from webapp.audit import COMMAND_LINE
from webapp.auth.instance_admins import (
    LastInstanceAdmin,
    is_instance_admin,
    make_instance_admin,
    revoke_instance_admin,
)
from webapp.auth.session_lifetime import find_signed_in, sign_in
from webapp.extensions import db
from webapp.models import Account, AuditEvent, SignIn
from webapp.workspaces import account_disabling

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def _account(account_id: int) -> Account:
    return db.session.get_one(Account, account_id)


def _make(*account_ids: int) -> None:
    for account_id in account_ids:
        make_instance_admin(_account(account_id), NOW, COMMAND_LINE)
    db.session.commit()


def _revoke(account_id: int) -> bool:
    return revoke_instance_admin(_account(account_id), NOW, COMMAND_LINE)


def _disable(account_id: int) -> None:
    account_disabling.set_active(_account(account_id), False, NOW, COMMAND_LINE)


def _list_admins() -> list[int]:
    return list(db.session.scalars(select(Account.id).where(Account.is_instance_admin, Account.is_active)))


def test_an_admin_of_a_workspace_is_no_instance_admin(seeded: SeededIds) -> None:
    assert not is_instance_admin(_account(seeded.admin))


def test_the_flag_makes_an_instance_admin(seeded: SeededIds) -> None:
    assert make_instance_admin(_account(seeded.viewer), NOW, COMMAND_LINE)
    assert is_instance_admin(_account(seeded.viewer))


def test_the_flag_is_granted_and_recorded_once(seeded: SeededIds) -> None:
    _make(seeded.viewer)

    assert not make_instance_admin(_account(seeded.viewer), NOW, COMMAND_LINE)
    events = db.session.execute(select(AuditEvent.workspace_id, AuditEvent.action).order_by(AuditEvent.id))
    action = "made the account an instance admin"
    assert [event for event in events if event.action == action] == [(seeded.harbor, action), (None, action)]


@pytest.mark.parametrize("is_by_link", [True, False])
def test_a_set_up_link_makes_an_instance_admin_for_its_session(seeded: SeededIds, is_by_link: bool) -> None:
    account = _account(seeded.viewer)
    sign_in(account, NOW)
    db.session.get_one(SignIn, account.sign_in_id).is_instance_admin = is_by_link
    sign_in_id = account.sign_in_id or ""
    db.session.commit()
    db.session.expunge_all()

    found = find_signed_in(sign_in_id, NOW + timedelta(minutes=1))
    assert found
    assert is_instance_admin(found) is is_by_link
    assert not found.is_instance_admin


def test_an_admin_by_link_is_none_in_another_session(seeded: SeededIds) -> None:
    account = _account(seeded.viewer)
    sign_in(account, NOW)
    db.session.get_one(SignIn, account.sign_in_id).is_instance_admin = True
    sign_in(account, NOW)
    another = account.sign_in_id or ""
    db.session.commit()
    db.session.expunge_all()

    found = find_signed_in(another, NOW + timedelta(minutes=1))
    assert found
    assert not is_instance_admin(found)


def test_one_of_two_can_be_revoked(seeded: SeededIds) -> None:
    _make(seeded.viewer, seeded.stranger)

    assert _revoke(seeded.viewer)
    assert _list_admins() == [seeded.stranger]


def test_who_is_none_cannot_be_revoked(seeded: SeededIds) -> None:
    _make(seeded.viewer)

    assert not _revoke(seeded.stranger)


@pytest.mark.parametrize("end", [_revoke, _disable])
def test_the_last_one_stays(seeded: SeededIds, end: object) -> None:
    _make(seeded.viewer)

    with pytest.raises(LastInstanceAdmin, match=r"viewer@example\.com is the only instance admin"):
        end(seeded.viewer)  # type: ignore[operator]


@pytest.mark.parametrize("end", [_revoke, _disable])
def test_one_who_cannot_sign_in_does_not_count(seeded: SeededIds, end: object) -> None:
    _make(seeded.viewer, seeded.stranger)
    _disable(seeded.stranger)

    with pytest.raises(LastInstanceAdmin):
        end(seeded.viewer)  # type: ignore[operator]


def test_an_account_that_is_none_can_be_disabled(seeded: SeededIds) -> None:
    _make(seeded.viewer)
    _disable(seeded.stranger)

    assert not _account(seeded.stranger).is_active


@pytest.mark.parametrize("first", [_revoke, _disable])
@pytest.mark.parametrize("second", [_revoke, _disable])
def test_two_who_end_each_other_at_once_leave_one(app: Flask, seeded: SeededIds, first: object, second: object) -> None:
    _make(seeded.viewer, seeded.stranger)

    failed = run_overlapping(app, lambda: first(seeded.viewer), lambda: second(seeded.stranger))  # type: ignore[operator]
    assert [type(error) for error in failed] == [type(None), LastInstanceAdmin]
    assert _list_admins() == [seeded.stranger]


def test_what_is_done_to_an_account_is_in_the_trail_of_the_installation_too(seeded: SeededIds) -> None:
    _disable(seeded.viewer)

    events = db.session.execute(select(AuditEvent.workspace_id, AuditEvent.action, AuditEvent.subject))
    what = ("disabled the account", f"Viewer (account {seeded.viewer})")
    assert [tuple(event) for event in events if event.action == what[0]] == [(seeded.harbor, *what), (None, *what)]
