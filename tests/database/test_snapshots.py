"""Snapshots: what others commit meanwhile is not seen."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text

from tests.factories import SeededIds, on_both_databases
from webapp.database.snapshots import begin_snapshot
from webapp.extensions import db
from webapp.models import AlertDestination, database_clock

pytestmark = [pytest.mark.usefixtures("context"), on_both_databases]


def _read_while_renamed(seeded: SeededIds, begin: Callable[[], None]) -> list[str | None]:
    """Read a name twice. Meanwhile, another connection changes it."""
    name = select(AlertDestination.name).where(AlertDestination.id == seeded.destination)
    begin()
    before = db.session.scalar(name)
    with db.engine.begin() as other:
        other.execute(text("UPDATE alert_destinations SET name = 'Renamed'"))
    after = db.session.scalar(name)
    db.session.rollback()
    return [before, after, db.session.scalar(name)]


def test_a_snapshot_does_not_see_what_others_commit_until_it_ends(seeded: SeededIds) -> None:
    assert _read_while_renamed(seeded, begin_snapshot) == ["Ticket system", "Ticket system", "Renamed"]


def test_a_snapshot_can_begin_where_the_servers_clock_was_read_first(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_clock, "SAMPLE_INTERVAL", 0.0)

    assert _read_while_renamed(seeded, begin_snapshot) == ["Ticket system", "Ticket system", "Renamed"]


def test_another_transaction_does(seeded: SeededIds) -> None:
    assert _read_while_renamed(seeded, db.session.rollback) == ["Ticket system", "Renamed", "Renamed"]
