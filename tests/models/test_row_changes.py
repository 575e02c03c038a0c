"""Rows are deleted page by page, whatever their key."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, true

from tests.factories import NOW, SeededIds, on_both_databases
from tests.query_plans import record_statements
from webapp.extensions import db
from webapp.models import Member, Ping, PingKind
from webapp.models.row_changes import delete_page

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def test_a_page_is_deleted_and_the_others_stay(seeded: SeededIds) -> None:
    for hour in range(5):
        db.session.add(Ping(kind=PingKind.HOUR, period=NOW + timedelta(hours=hour), created_at=NOW, attempt_count=0))
    is_early = Ping.period < NOW + timedelta(hours=4)

    deleted, left = [], []
    for _ in range(3):
        deleted.append(delete_page(Ping, is_early, 2))
        left.append(db.session.scalar(select(func.count()).select_from(Ping)))

    assert (deleted, left) == ([2, 2, 0], [3, 1, 1])


def test_a_key_may_have_two_columns(seeded: SeededIds) -> None:
    before = db.session.scalar(select(func.count()).select_from(Member)) or 0
    assert delete_page(Member, true(), before - 1) == before - 1
    assert db.session.scalar(select(func.count()).select_from(Member)) == 1


def test_where_nothing_is_to_be_deleted_nothing_is_locked(seeded: SeededIds) -> None:
    ((statement, _),) = record_statements(lambda: delete_page(Ping, true()))
    assert statement.startswith("SELECT")
