"""Old audit events are deleted, younger ones never, and every deletion is recorded with its number."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DatabaseError

from tests.factories import list_events, on_both_databases
from webapp.audit_trail import AuditRetention, retention
from webapp.audit_trail.retention import SCAN_INTERVAL
from webapp.extensions import db
from webapp.models import AuditDeletion, AuditEvent
from webapp.settings.app_settings import MIN_AUDIT_AGE

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

KEEP = timedelta(days=90)
# The database compares with its own clock, so these tests do too.
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE_SIZE", 3)


def _add(*ages: timedelta, **facts: Any) -> None:
    values = {"workspace_id": 1, "account_name": "Admin", "action": "changed", "subject": "", "result": "done"}
    rows = [values | {"changed": [], "happened_at": NOW - age} | facts for age in ages]
    db.session.execute(insert(AuditEvent), rows)
    db.session.commit()


def _delete(keep: timedelta | None = KEEP, pages: int = 5) -> list[int]:
    """Delete up to this many pages, and return the number of each."""
    worker = AuditRetention(keep, clock=lambda: 0.0)
    return [worker.delete_old_page(NOW) for _ in range(pages)]


def _ages() -> list[int]:
    """Return the ages of the events in days, oldest first."""
    times = db.session.scalars(select(AuditEvent.happened_at).where(AuditEvent.workspace_id.is_not(None)))
    return sorted(((NOW - moment).days for moment in times), reverse=True)


def _records() -> list[tuple[str, str, str, list[str]]]:
    return [(event.account_name, event.action, event.subject, event.changed) for event in list_events(None)]


def test_only_events_older_than_the_retention_are_deleted_page_by_page_and_recorded_once() -> None:
    _add(*(KEEP + timedelta(days=day) for day in (1, 2, 3, 4, 5)), KEEP - timedelta(hours=1), timedelta(0))
    limit = f"{NOW - KEEP - retention.MARGIN:%Y-%m-%d %H:%M:%S} UTC"

    assert _delete() == [3, 2, 0, 0, 0]
    assert _ages() == [89, 0]
    assert _records() == [("Alertcheck", "deleted old audit events", "5 audit events", [f"from before {limit}"])]
    assert db.session.scalars(select(AuditDeletion)).all() == []


def test_a_last_page_that_is_full_is_recorded_by_the_next_call() -> None:
    _add(*[KEEP * 2] * 3)

    assert _delete(pages=1) == [3]
    assert _records() == []
    assert _delete() == [0] * 5
    assert _records()[0][2] == "3 audit events"


def test_another_worker_continues_what_a_killed_one_began_and_records_the_whole_number() -> None:
    _add(*[KEEP * 2] * 4)
    _delete(pages=1)

    _delete()

    assert [record[2] for record in _records()] == ["4 audit events"]


def test_nothing_is_deleted_or_recorded_where_nothing_is_old() -> None:
    _add(KEEP - timedelta(days=1))

    assert (_delete(), _ages(), _records()) == ([0] * 5, [89], [])


def test_without_the_setting_nothing_is_deleted() -> None:
    _add(timedelta(days=4000))

    assert (_delete(None), _ages(), _records()) == ([0] * 5, [4000], [])


@pytest.mark.parametrize("keep", [None, KEEP * 10])
def test_a_longer_retention_ends_a_deletion_that_is_under_way_and_records_it(keep: timedelta | None) -> None:
    _add(*[KEEP * 2] * 5)
    _delete(pages=1)

    _delete(keep)

    assert len(_ages()) == 2
    assert [record[2] for record in _records()] == ["3 audit events"]


def test_events_of_the_installation_and_of_deleted_workspaces_go_too() -> None:
    _add(KEEP * 2, workspace_id=None)
    _add(KEEP * 2, workspace_id=999)

    assert _delete()[0] == 2


def test_the_shortest_retention_is_one_that_the_database_permits() -> None:
    _add(MIN_AUDIT_AGE + 2 * retention.MARGIN)

    assert _delete(MIN_AUDIT_AGE)[0] == 1


def test_a_retention_that_is_too_short_by_a_mistake_deletes_nothing() -> None:
    _add(MIN_AUDIT_AGE - timedelta(hours=1))

    with pytest.raises(DatabaseError, match="append-only"):
        _delete(timedelta(days=1))

    db.session.rollback()
    assert _ages() == [29]


def test_the_next_look_for_old_events_is_an_hour_after_the_last() -> None:
    elapsed = 0.0
    worker = AuditRetention(KEEP, clock=lambda: elapsed)
    worker.delete_old_page(NOW)
    _add(KEEP * 2)

    elapsed = SCAN_INTERVAL - 1
    assert worker.delete_old_page(NOW) == 0
    elapsed = SCAN_INTERVAL
    assert worker.delete_old_page(NOW) == 1


def test_no_lock_is_held_between_two_pages() -> None:
    _add(*[KEEP * 2] * 5)
    _delete(pages=1)

    with db.engine.begin() as another:
        another.execute(text("UPDATE audit_deletions SET deleted = deleted"))
