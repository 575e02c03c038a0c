"""What is left of a deleted workspace is deleted in steps, whatever happens in it meanwhile."""

import logging
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.auth.overlapping import run_overlapping
from tests.deliveries.recovery.recovery_passes import recover as run_recovery
from tests.factories import (
    NOW,
    SeededIds,
    add_customer_link,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp import deliveries
from webapp.audit import COMMAND_LINE
from webapp.auth.access import Visit
from webapp.channels.contract import Accepted
from webapp.deliveries.attempts import claiming, sending
from webapp.deliveries.attempts.recording import end_attempt, record
from webapp.deliveries.messages import write_payload
from webapp.deliveries.recovery.wait_tracker import WaitTracker
from webapp.deliveries.requesting.planned_test_creation import plan_test
from webapp.destinations.editing import insert_destination
from webapp.extensions import Base, db
from webapp.models import (
    Account,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    Member,
    Role,
    UsedSlug,
    Workspace,
    row_changes,
)
from webapp.presses.batches import press_all
from webapp.presses.planned_test_runs import PlannedTestRuns
from webapp.settings import AppSettings
from webapp.workspaces import account_disabling, deleted_workspaces, membership_changes
from webapp.workspaces.deleted_workspaces import delete_remains
from webapp.workspaces.workspace_deletion import delete_workspace

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

LATER = NOW + seconds(61)


@pytest.fixture(autouse=True)
def long_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one pass delete everything, however busy the machine is."""
    monkeypatch.setattr(deleted_workspaces, "PASS_TIME", 60.0)


def _delete(seeded: SeededIds) -> None:
    delete_workspace(get_workspace(seeded), NOW, COMMAND_LINE)


def _delete_and_commit(seeded: SeededIds) -> None:
    _delete(seeded)
    db.session.commit()


def _count_owned(workspace_id: int) -> dict[str, int]:
    """Count the rows of a workspace by table, but for the audit trail and empty tables."""
    owned = [table for table in Base.metadata.sorted_tables if "workspace_id" in table.columns]
    counted = {
        table.name: db.session.scalar(
            select(func.count()).select_from(table).where(table.c.workspace_id == workspace_id)
        )
        for table in owned
    }
    del counted["audit_events"]
    return {name: count for name, count in counted.items() if count}


def _list_slugs() -> list[str]:
    return list(db.session.scalars(select(Workspace.slug).order_by(Workspace.slug)))


def _fill(seeded: SeededIds) -> None:
    """Add every kind of row to the workspace."""
    destination = get_destination(seeded)
    add_real_alert(destination)
    add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW - seconds(90))
    add_delivery(destination, attempt_started_at=NOW, attempt_count=1, created_at=NOW - seconds(30))
    add_customer_link(seeded, "token", seeded.support, NOW)
    plan_test(destination, get_account(seeded), NOW)


# In steps


def test_nothing_of_a_deleted_workspace_is_left_but_its_trail_and_its_slug(seeded: SeededIds) -> None:
    _fill(seeded)
    _delete_and_commit(seeded)
    delete_remains()

    assert _count_owned(seeded.harbor) == {}
    assert _list_slugs() == ["clinic"]
    assert db.session.get_one(UsedSlug, "harbor").deleted_at == NOW


def test_a_workspace_that_is_not_deleted_keeps_everything(seeded: SeededIds) -> None:
    _fill(seeded)
    before = _count_owned(seeded.harbor)
    delete_remains()

    assert _count_owned(seeded.harbor) == before


def test_a_pass_ends_after_its_time_and_the_next_one_continues(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.deliveries.workspace_deletion.PAGE_SIZE", 2)
    for age in range(5):
        add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW - seconds(age))
    _delete_and_commit(seeded)
    clock = iter(range(100))
    monkeypatch.setattr(deleted_workspaces, "PASS_TIME", 1.5)
    monkeypatch.setattr(deleted_workspaces, "monotonic", lambda: float(next(clock)))

    left = []
    for _ in range(5):
        delete_remains()
        left.append(_count_owned(seeded.harbor).get("alert_deliveries", 0))
    assert left == [3, 1, 0, 0, 0]  # the last passes delete the destination and the workspace
    assert _list_slugs() == ["clinic"]


def test_destinations_are_deleted_page_by_page(
    seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand of them in one transaction would take seconds."""
    monkeypatch.setattr(row_changes.delete_page, "__defaults__", (2,))
    settings = {"address": "https://example.com/hook"}
    for number in range(4):
        cipher, admin = app_settings.cipher, get_account(seeded)
        insert_destination(get_workspace(seeded), admin, "webhook", f"D{number}", settings, cipher, NOW)
    _delete_and_commit(seeded)
    clock = iter(range(100))
    monkeypatch.setattr(deleted_workspaces, "PASS_TIME", 1.5)
    monkeypatch.setattr(deleted_workspaces, "monotonic", lambda: float(next(clock)))

    left = []
    for _ in range(4):
        delete_remains()
        left.append(_count_owned(seeded.harbor).get("alert_destinations", 0))
    assert left == [3, 1, 0, 0]
    assert _list_slugs() == ["clinic"]


def test_two_workers_delete_the_same_workspace(app: Flask, seeded: SeededIds) -> None:
    _fill(seeded)
    _delete_and_commit(seeded)

    assert run_overlapping(app, delete_remains, delete_remains) == [None, None]
    assert _count_owned(seeded.harbor) == {}


def test_a_row_that_somebody_changes_is_deleted_later(app: Flask, seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)
    delivery_id = delivery.id
    _delete_and_commit(seeded)

    def record() -> None:
        delivery = db.session.get_one(AlertDelivery, delivery_id)
        delivery.answer_status = 200

    assert run_overlapping(app, record, delete_remains) == [None, None]
    delete_remains()
    assert _count_owned(seeded.harbor) == {}


# While a worker sends


def _add_sendable(destination: AlertDestination, seeded: SeededIds) -> int:
    """Add a test send that a worker can claim."""
    return add_delivery(destination, payload=write_payload(destination, get_account(seeded), NOW)).id


def test_a_delivery_of_a_workspace_that_is_not_deleted_is_claimed(seeded: SeededIds, app_settings: AppSettings) -> None:
    assert claiming.claim(_add_sendable(get_destination(seeded), seeded), app_settings, NOW) is not None


def test_a_delivery_that_waits_is_not_sent(seeded: SeededIds, app_settings: AppSettings) -> None:
    delivery_id = _add_sendable(get_destination(seeded), seeded)
    _delete_and_commit(seeded)

    assert claiming.claim(delivery_id, app_settings, NOW) is None


def test_a_delivery_of_a_destination_that_was_added_meanwhile_is_not_sent(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    """The request that added it had loaded the workspace before."""
    workspace, account = get_workspace(seeded), get_account(seeded)
    _delete_and_commit(seeded)
    late = insert_destination(
        workspace, account, "webhook", "Late", {"address": "https://example.com"}, app_settings.cipher, NOW
    )
    delivery_id = _add_sendable(late, seeded)

    assert claiming.claim(delivery_id, app_settings, NOW) is None
    delete_remains()
    assert _count_owned(seeded.harbor) == {}


def test_a_claim_that_was_first_sends_and_its_result_is_recorded_nowhere(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery_id = _add_sendable(get_destination(seeded), seeded)
    attempt = claiming.claim(delivery_id, app_settings, NOW)
    assert attempt is not None
    _delete_and_commit(seeded)
    delete_remains()

    record(end_attempt(attempt, sending._accepted(Accepted(200)), 0.1), NOW)
    assert db.session.get(AlertDelivery, delivery_id) is None


def test_a_claim_and_a_deletion_at_once_end_as_one_of_them_first(
    app: Flask, seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery_id = _add_sendable(get_destination(seeded), seeded)
    claims: list[object] = []

    failed = run_overlapping(
        app, lambda: _delete(seeded), lambda: claims.append(claiming.claim(delivery_id, app_settings, NOW))
    )
    assert failed == [None, None]
    assert claims == [None]


def test_recovery_passes_over_what_is_deleted(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> None:
    destination = get_destination(seeded)
    for age in range(3):
        add_delivery(destination, status=DeliveryStatus.DEFERRED, send_after=NOW, created_at=NOW - seconds(age))

    def recover() -> None:
        run_recovery(NOW + seconds(30), app_settings, WaitTracker())

    assert run_overlapping(app, lambda: _delete(seeded), recover) == [None, None]
    assert _count_owned(seeded.harbor) == {"alert_destinations": 1}


# While somebody uses it


def _press(seeded: SeededIds) -> None:
    deliveries.request_test(get_destination(seeded), get_account(seeded), NOW)


def _press_all(seeded: SeededIds) -> None:
    press_all(Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN), NOW)


def _plan(seeded: SeededIds) -> None:
    plan_test(get_destination(seeded), get_account(seeded), NOW)


def _run_planned(seeded: SeededIds) -> None:
    PlannedTestRuns().run(LATER)


def _add_member(seeded: SeededIds) -> None:
    membership_changes.grant_role(
        get_workspace(seeded), db.session.get_one(Account, seeded.stranger), Role.ADMIN, NOW, COMMAND_LINE
    )


def _lower_member(seeded: SeededIds) -> None:
    membership_changes.grant_role(
        get_workspace(seeded), db.session.get_one(Account, seeded.support), Role.VIEWER, NOW, COMMAND_LINE
    )


def _remove_member(seeded: SeededIds) -> None:
    membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, seeded.support)), NOW, COMMAND_LINE)


def _make_link(seeded: SeededIds) -> None:
    add_customer_link(seeded, "another token", seeded.support, NOW)


USES = [_press, _press_all, _plan, _run_planned, _add_member, _lower_member, _remove_member, _make_link]


@pytest.mark.parametrize("use", USES)
def test_a_use_that_was_first_leaves_nothing_behind(
    app: Flask, seeded: SeededIds, use: Callable[[SeededIds], None]
) -> None:
    plan_test(get_destination(seeded), get_account(seeded), NOW)

    failed = run_overlapping(app, lambda: use(seeded), lambda: _delete(seeded))
    assert failed[1] is None
    delete_remains()
    assert _count_owned(seeded.harbor) == {}


@pytest.mark.parametrize("use", USES)
def test_a_use_that_comes_too_late_leaves_nothing_behind(
    app: Flask, seeded: SeededIds, use: Callable[[SeededIds], None]
) -> None:
    plan_test(get_destination(seeded), get_account(seeded), NOW)

    failed = run_overlapping(app, lambda: _delete(seeded), lambda: use(seeded))
    assert failed[0] is None
    assert _count_owned(seeded.harbor).get("alert_deliveries", 0) == 0
    delete_remains()
    assert _count_owned(seeded.harbor) == {}


def test_an_account_is_disabled_although_a_workspace_of_it_is_deleted_at_once(app: Flask, seeded: SeededIds) -> None:
    def disable() -> None:
        account_disabling.set_active(db.session.get_one(Account, seeded.support), False, NOW, COMMAND_LINE)

    assert run_overlapping(app, lambda: _delete(seeded), disable) == [None, None]
    assert db.session.get_one(Account, seeded.support, populate_existing=True).is_active is False


def test_each_removal_is_logged_once(seeded: SeededIds, caplog: pytest.LogCaptureFixture) -> None:
    _delete_and_commit(seeded)
    with caplog.at_level(logging.INFO):
        delete_remains()
        delete_remains()

    assert caplog.text.count("deleted workspace removed") == 2  # the formatter writes the event twice per line
