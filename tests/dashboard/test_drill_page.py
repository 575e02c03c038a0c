"""The page of drills of a large workspace reads its own rows only, and has those of a small one."""

from collections.abc import Sequence

import pytest
from sqlalchemy import insert

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp.dashboard import drill_page
from webapp.dashboard.drill_page import DrillPage, load_drill_page
from webapp.drills.editing import DrillTimes, save_schedule
from webapp.extensions import db
from webapp.models import AlertDestination, DeliveryStatus, DrillInterval, DrillNumber

TIMES = DrillTimes(DrillInterval.WEEKLY, "24", 10, 16, "Europe/Berlin")


@on_both_databases
def test_a_large_workspace_has_the_rows_of_a_small_one(
    context: None, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    _turn_on_with_drills(seeded, 119)

    small = _load_pages(seeded)
    monkeypatch.setattr(drill_page, "MAX_IN_CALENDAR", 119)
    large = _load_pages(seeded)

    assert [(one.page, one.newest) for one in large] == [(one.page, one.newest) for one in small]
    assert [len(one.page.rows) for one in small] == [50, 50, 20, 20]
    assert [len(one.newest) for one in small] == [0, 0, 1, 1]
    assert [one.days is None for one in (small[0], large[0])] == [False, True]


@on_both_databases
def test_only_enabled_destinations_that_may_page_people_count_as_paging(context: None, seeded: SeededIds) -> None:
    facts: dict[str, object] = {"type": "pagerduty", "drills_may_page": True}
    others: list[dict[str, object]] = [{"type": "webhook"}, {"drills_may_page": False}, {"is_enabled": False}]
    _add(seeded, [facts] * 2 + [facts | other for other in others] + [facts | {"deleted_at": NOW}])

    page = load_drill_page(get_workspace(seeded), 1, NOW)

    assert (page.paging, page.page.total) == (2, 6)


def _turn_on_with_drills(seeded: SeededIds, count: int) -> None:
    """Turn the drills on, and add destinations; the one that was seeded has had a drill and a test."""
    _add(seeded, [{"name": f"Number {number}"} for number in range(count)])
    accepted = {"status": DeliveryStatus.SENT, "sent_at": NOW}
    add_delivery(get_destination(seeded), drill=DrillNumber.FIRST, requested_by_id=None, **accepted)
    add_delivery(get_destination(seeded), created_at=NOW + seconds(90), **accepted)
    get_destination(seeded).drilled_at = NOW
    save_schedule(get_workspace(seeded), get_account(seeded), TIMES, NOW)


def _load_pages(seeded: SeededIds) -> Sequence[DrillPage]:
    return [load_drill_page(get_workspace(seeded), number, NOW + seconds(3600)) for number in (1, 2, 3, 4)]


def _add(seeded: SeededIds, destinations: Sequence[dict[str, object]]) -> None:
    facts = {"workspace_id": seeded.harbor, "type": "webhook", "config": "", "created_at": NOW, "updated_at": NOW}
    given = {"name": "A destination", "is_enabled": True, "drills_may_page": False, "deleted_at": None}
    db.session.execute(insert(AlertDestination), [facts | given | one for one in destinations])
    db.session.commit()
