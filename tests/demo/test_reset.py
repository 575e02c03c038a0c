"""The way back to the demo's beginning, also while tests are under way."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.demo.demo_settings import demo_settings
from tests.factories import NOW, add_delivery, begin_claim_record, on_both_databases
from tests.recorded_rows import add_once
from webapp.audit import Action, Actor
from webapp.auth.accounts import add_account
from webapp.auth.session_lifetime import sign_in
from webapp.deliveries.attempts.claiming import claim
from webapp.deliveries.attempts.recording import AttemptResult, end_attempt, record
from webapp.deliveries.requesting.writing import request_test
from webapp.deliveries.transitions import ACCEPT
from webapp.demo.receiver.inbox import Arrival, Inbox
from webapp.demo.receiver.scenarios import Scenario, Service
from webapp.demo.reset import KEPT_TABLES, reset_demo
from webapp.demo.seed import find_demo_account, seed_demo
from webapp.demo.seed_plan import WORKSPACES
from webapp.destinations.editing import delete_destination
from webapp.extensions import Base, db
from webapp.models import (
    Account,
    AlertDelivery,
    AlertDestination,
    AuditEvent,
    DeliveryStatus,
    Member,
    Role,
    SignIn,
    Workspace,
)
from webapp.settings import AppSettings
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

LATER = NOW + timedelta(hours=1)
PLANNED = sorted(plan.name for planned in WORKSPACES.values() for plan in planned)

pytestmark = on_both_databases


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of a demo."""
    return environment | demo_settings(tmp_path)


@pytest.fixture(autouse=True)
def seeded_demo(app: Flask, environment: dict[str, str]) -> Iterator[None]:
    add_once(app, lambda: seed_demo(NOW), "demo", environment["ALERTCHECK_CONFIG_KEYS"])
    with app.app_context():
        begin_claim_record()
        yield
        db.session.rollback()


def reset(app_settings: AppSettings) -> None:
    assert app_settings.demo
    reset_demo(app_settings, app_settings.demo, LATER, Actor(1, "Demo admin"))


def find(name: str) -> AlertDestination:
    return db.session.scalars(select(AlertDestination).where(AlertDestination.name == name)).one()


def get_admin() -> Account:
    admin = find_demo_account(Role.ADMIN)
    assert admin
    return admin


def count_rows() -> dict[str, int]:
    tables = [table for table in Base.metadata.sorted_tables if table.name not in KEPT_TABLES]
    return {table.name: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def test_all_data_is_as_it_was_at_the_beginning(app_settings: AppSettings) -> None:
    before, admin = count_rows(), get_admin()
    delete_destination(find("Ticket system"), admin, NOW)
    find("Incident room").name = "Renamed"
    add_delivery(find("Operations channel"))
    set_role(add_workspace("another", "Another", NOW), admin, Role.ADMIN)
    db.session.commit()

    reset(app_settings)

    assert count_rows() == before
    in_use = select(AlertDestination.name).where(AlertDestination.deleted_at.is_(None))
    assert sorted(db.session.scalars(in_use)) == PLANNED
    assert sorted(db.session.scalars(select(Workspace.slug))) == sorted(slug for slug, _ in WORKSPACES)


def test_every_role_is_still_signed_in_and_still_a_member(app_settings: AppSettings) -> None:
    admin = get_admin()
    sign_in(admin, NOW)
    db.session.commit()

    reset(app_settings)

    assert db.session.scalars(select(SignIn.account_id)).one() == admin.id
    assert set(db.session.scalars(select(Member.role).where(Member.account_id == admin.id))) == {Role.ADMIN}
    assert db.session.scalar(select(func.count()).select_from(Member)) == len(WORKSPACES) * len(Role)


def test_accounts_that_are_not_the_demos_are_gone(app_settings: AppSettings) -> None:
    add_account("guest@example.com", "Guest", None, NOW)
    db.session.commit()
    reset(app_settings)
    assert db.session.scalar(select(func.count()).select_from(Account)) == len(Role)


def test_the_audit_trail_of_the_new_workspaces_begins_anew_and_the_old_one_is_kept(app_settings: AppSettings) -> None:
    old = set(db.session.scalars(select(AuditEvent.id)))
    reset(app_settings)
    events = db.session.scalars(
        select(AuditEvent).join(Workspace, Workspace.id == AuditEvent.workspace_id).where(Workspace.slug == "harbor")
    ).all()
    assert old < set(db.session.scalars(select(AuditEvent.id)))
    assert old.isdisjoint(event.id for event in events)
    planned = WORKSPACES["harbor", "Harbor Logistics"]  # and one that was deleted since
    assert [event.action for event in events].count(Action.ADDED) == len(planned) + 1


def test_the_inbox_and_the_switches_are_empty(app_settings: AppSettings, tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "inbox.sqlite")
    inbox.add(Arrival(service=Service.TEAMS, scenario="works", answered=202, accepted=True), NOW)
    inbox.switches.set("a place", Scenario.MISSING)
    reset(app_settings)
    assert (inbox.list_newest(), inbox.switches.list_all()) == ([], {})


def test_a_second_reset_does_the_same(app_settings: AppSettings) -> None:
    before = count_rows()
    reset(app_settings)
    reset(app_settings)
    assert count_rows() == before


def test_a_destination_can_be_tested_at_once_although_it_was_tested_before(app_settings: AppSettings) -> None:
    request_test(find("Operations channel"), get_admin(), LATER)
    reset(app_settings)
    assert request_test(find("Operations channel"), get_admin(), LATER + timedelta(seconds=1))


def test_a_test_that_waits_for_a_worker_is_never_sent(app_settings: AppSettings) -> None:
    waiting = request_test(find("Operations channel"), get_admin(), LATER)
    reset(app_settings)
    assert claim(waiting, app_settings, LATER) is None


def test_the_result_of_a_test_that_is_being_sent_is_recorded_nowhere(app_settings: AppSettings) -> None:
    attempt = claim(request_test(find("Operations channel"), get_admin(), LATER), app_settings, LATER)
    assert attempt
    reset(app_settings)
    after = count_rows()

    columns = {"sent_at": LATER, "answer_status": 202, "last_error_code": None, "last_error_message": None}
    record(end_attempt(attempt, AttemptResult(ACCEPT, columns), 0.1), LATER)

    assert count_rows() == after


def test_no_test_is_left_pending(app_settings: AppSettings) -> None:
    waiting = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
    pending = select(AlertDelivery.id).where(AlertDelivery.status.in_(waiting))
    add_delivery(find("Operations channel"), created_at=LATER)
    add_delivery(find("Ticket system"), created_at=LATER, attempt_count=1, attempt_started_at=LATER)
    retry = {"status": DeliveryStatus.DEFERRED, "attempt_count": 1, "send_after": LATER + timedelta(seconds=30)}
    add_delivery(find("Incident room"), created_at=LATER, **retry)
    assert len(db.session.scalars(pending).all()) >= 3

    reset(app_settings)

    assert db.session.scalars(pending).all() == []
