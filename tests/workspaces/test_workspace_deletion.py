"""The deletion of a workspace: what it loses, and what it closes and deletes at once."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import func, inspect, select
from sqlalchemy.orm.exc import ObjectDeletedError

from tests.factories import (
    NOW,
    SeededIds,
    add_customer_link,
    add_delivery,
    get_account,
    get_destination,
    get_workspace,
    list_events,
    on_both_databases,
    seconds,
)
from webapp.audit import COMMAND_LINE
from webapp.auth.access import list_memberships
from webapp.deliveries.requesting.planned_test_creation import plan_test
from webapp.deliveries.requesting.writing import request_test
from webapp.extensions import Base, db
from webapp.models import AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus, SearchKey, UsedSlug, Workspace
from webapp.workspaces.workspace_changes import find_workspace
from webapp.workspaces.workspace_deletion import WorkspaceGone, WorkspaceImpact, assess_deletion, delete_workspace

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def _delete(seeded: SeededIds) -> None:
    delete_workspace(get_workspace(seeded), NOW, COMMAND_LINE)
    db.session.commit()


def _trail(workspace_id: int | None) -> list[tuple[str, str, list[str]]]:
    events = select(AuditEvent).where(AuditEvent.workspace_id == workspace_id).order_by(AuditEvent.id)
    return [(event.action, event.subject, event.changed) for event in db.session.scalars(events)]


def test_the_impact_counts_what_a_deletion_loses(
    seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW)
    add_delivery(destination)
    workspace = get_workspace(seeded)

    with count_queries() as statements:
        impact = assess_deletion(workspace)

    assert impact == WorkspaceImpact(3, 1, 2, has_more_deliveries=False, waiting=1)
    assert len(statements) == 4


def test_deliveries_are_counted_up_to_a_limit(seeded: SeededIds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.workspaces.workspace_deletion.MOST_COUNTED", 1)
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)
    at_limit = assess_deletion(get_workspace(seeded))
    add_delivery(get_destination(seeded))

    above = assess_deletion(get_workspace(seeded))
    assert (at_limit.deliveries, at_limit.has_more_deliveries) == (1, False)
    assert (above.deliveries, above.has_more_deliveries) == (1, True)


def test_nobody_finds_a_deleted_workspace(seeded: SeededIds) -> None:
    _delete(seeded)

    assert find_workspace("harbor") is None
    assert list_memberships(get_account(seeded)) == []


def test_a_deletion_erases_the_settings_of_destinations_and_what_finds_them(seeded: SeededIds) -> None:
    found = select(func.count()).select_from(SearchKey).where(SearchKey.destination_id == seeded.destination)
    assert db.session.scalar(found)
    _delete(seeded)

    db.session.expire_all()
    destination = get_destination(seeded)
    assert (destination.config, destination.is_enabled, destination.deleted_at) == ("", False, NOW)
    assert db.session.scalar(found) == 0


def test_a_deletion_keeps_since_when_a_destination_was_deleted(seeded: SeededIds) -> None:
    get_destination(seeded).deleted_at = NOW - seconds(60)
    _delete(seeded)

    db.session.expire_all()
    assert get_destination(seeded).deleted_at == NOW - seconds(60)


def test_a_deletion_leaves_to_the_worker_only_deliveries_and_what_they_refer_to(seeded: SeededIds) -> None:
    destination, account = get_destination(seeded), get_account(seeded)
    request_test(destination, account, NOW)
    plan_test(destination, account, NOW + seconds(1))
    add_customer_link(seeded, "token", seeded.support, NOW)
    add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW - seconds(600))
    add_delivery(destination, status=DeliveryStatus.DEFERRED, send_after=NOW, created_at=NOW - seconds(300))
    add_delivery(destination, attempt_started_at=NOW, attempt_count=1, created_at=NOW - seconds(1))
    _delete(seeded)

    left = {name: count for name, count in _count_owned(seeded.harbor).items() if count}
    assert left.pop("audit_events") > 0
    assert left == {"alert_destinations": 1, "alert_deliveries": 2}
    assert sorted(db.session.scalars(select(AlertDelivery.status))) == [DeliveryStatus.QUEUED, DeliveryStatus.SENT]


def test_a_deletion_leaves_other_workspaces_alone(seeded: SeededIds) -> None:
    foreign = db.session.get_one(AlertDestination, seeded.foreign_destination)
    add_delivery(foreign)
    before = _count_owned(seeded.clinic)
    _delete(seeded)

    db.session.expire_all()
    assert _count_owned(seeded.clinic) == before
    assert (foreign.is_enabled, foreign.deleted_at) == (True, None)


def test_a_deletion_stays_in_both_trails(seeded: SeededIds) -> None:
    _delete(seeded)

    assert list_events(seeded.harbor)[0].action == "deleted the workspace"
    assert _trail(None) == [("deleted the workspace", "Harbor Logistics (workspace harbor)", [])]
    used = db.session.get_one(UsedSlug, "harbor")
    assert (used.used_by_id, used.name, used.deleted_at) == (seeded.harbor, "Harbor Logistics", NOW)


def test_a_workspace_is_deleted_once(seeded: SeededIds) -> None:
    _delete(seeded)

    with pytest.raises(WorkspaceGone):
        _delete(seeded)


def test_a_test_is_refused_once_its_workspace_is_deleted(seeded: SeededIds) -> None:
    destination, account = get_destination(seeded), get_account(seeded)
    _delete(seeded)

    with pytest.raises(ObjectDeletedError):
        request_test(destination, account, NOW)


def _count_owned(workspace_id: int) -> dict[str, int]:
    tables = [table for table in Base.metadata.sorted_tables if "workspace_id" in table.columns]
    counts = {
        table.name: select(func.count()).select_from(table).where(table.c.workspace_id == workspace_id)
        for table in tables
    }
    return {name: db.session.scalar(count) or 0 for name, count in counts.items()}


def test_every_table_of_a_workspace_has_the_column_by_which_its_rows_are_deleted(seeded: SeededIds) -> None:
    """Tables without it are deleted by the database, with the row that they refer to."""
    referring = {
        table
        for table in inspect(db.engine).get_table_names()
        for key in inspect(db.engine).get_foreign_keys(table)
        if key["referred_table"] == Workspace.__tablename__
    }
    owned = {table.name for table in Base.metadata.sorted_tables if "workspace_id" in table.columns}
    assert referring <= owned
