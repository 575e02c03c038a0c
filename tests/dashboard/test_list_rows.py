"""The rows of the list: drawn once, and anew whenever they would show something else."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from markupsafe import Markup

from tests.dashboard.test_list_version import CHANGES, LATER
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
from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.dashboard import list_rows
from webapp.dashboard.list_rows import ListRows, draw_rows
from webapp.dashboard.list_version import LONGEST_REUSE, SETTLING_TIME
from webapp.dashboard.summaries import list_summaries
from webapp.deliveries.newest_deliveries import list_with_newest_test
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, Role

pytestmark = pytest.mark.usefixtures("context")

CountQueries = Callable[[], AbstractContextManager[list[str]]]


def _draw(app: Flask, seeded: SeededIds, role: Role = Role.ADMIN, now: datetime = LATER) -> ListRows:
    db.session.expire_all()
    visit = Visit(get_account(seeded), get_workspace(seeded), role)
    summaries = list_summaries([seeded.harbor], now, now - SETTLING_TIME)
    with app.test_request_context():
        return draw_rows(visit, [summary.destination_id for summary in summaries], summaries, now)


def _draw_anew(app: Flask, seeded: SeededIds, now: datetime = LATER) -> Sequence[Markup]:
    app_state(app).drawn_rows.clear()
    return _draw(app, seeded, now=now).rows


def _add_sent(seeded: SeededIds, **facts: object) -> AlertDelivery:
    return add_delivery(get_destination(seeded), **({"status": DeliveryStatus.SENT, "sent_at": NOW} | facts))


@on_both_databases
def test_a_row_that_shows_the_same_is_neither_loaded_nor_drawn_again(
    app: Flask, seeded: SeededIds, count_queries: CountQueries
) -> None:
    _add_sent(seeded)
    first = _draw(app, seeded)
    visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)
    summaries = list_summaries([seeded.harbor], LATER, LATER - SETTLING_TIME)

    with count_queries() as queries, app.test_request_context():
        again = draw_rows(visit, [summary.destination_id for summary in summaries], summaries, LATER)

    assert (again, queries) == (first, [])
    assert 'data-last-test="sent"' in first.rows[0]


@on_both_databases
@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_a_row_is_the_one_that_is_drawn_anew(
    app: Flask, seeded: SeededIds, change: Callable[[SeededIds], None]
) -> None:
    _add_sent(seeded)
    _draw(app, seeded)

    change(seeded)

    assert list(_draw(app, seeded).rows) == list(_draw_anew(app, seeded))


@pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=60)])
def test_ages_stay_true(app: Flask, seeded: SeededIds, age: timedelta) -> None:
    _add_sent(seeded)
    _add_sent(seeded, status=DeliveryStatus.FAILED, last_error_code="gone", sent_at=None, created_at=NOW + seconds(9))
    _draw(app, seeded, now=NOW + age - seconds(1))

    assert list(_draw(app, seeded, now=NOW + age).rows) == list(_draw_anew(app, seeded, now=NOW + age))


def test_each_role_has_its_own_row(app: Flask, seeded: SeededIds) -> None:
    _add_sent(seeded)

    assert "<button" in _draw(app, seeded).rows[0]
    assert "<button" not in _draw(app, seeded, Role.VIEWER).rows[0]


def test_a_row_that_waits_for_a_result_is_drawn_each_time(app: Flask, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.QUEUED)

    drawn = _draw(app, seeded)

    assert drawn.is_waiting
    assert app_state(app).drawn_rows == {}


def test_what_was_drawn_of_a_change_in_between_is_not_shown_once_it_was_taken_back(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_sent(seeded)

    def disable_and_load(ids: Sequence[int]) -> Any:
        set_enabled(get_destination(seeded), get_account(seeded), False, NOW + seconds(1))
        return list_with_newest_test(ids)

    with monkeypatch.context() as in_between:
        in_between.setattr(list_rows, "list_with_newest_test", disable_and_load)
        assert "Disabled" in _draw(app, seeded).rows[0]
    set_enabled(get_destination(seeded), get_account(seeded), True, NOW + seconds(2))

    assert "Disabled" not in _draw(app, seeded).rows[0]


def test_a_row_is_kept_for_ten_minutes_at_most(app: Flask, seeded: SeededIds) -> None:
    _add_sent(seeded)
    before = _draw(app, seeded).rows
    get_account(seeded).name = "Renamed"  # a name that no version covers
    db.session.commit()

    after = _draw(app, seeded, now=LATER + LONGEST_REUSE).rows

    assert list(after) == list(_draw_anew(app, seeded, now=LATER + LONGEST_REUSE))
    assert len(before) == len(after)


def test_the_row_that_was_kept_first_is_dropped_if_there_are_too_many(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_rows, "CAPACITY", 1)
    _draw(app, seeded)
    _draw(app, seeded, Role.VIEWER)

    (key,) = app_state(app).drawn_rows
    assert key == ((Role.VIEWER, "/w/harbor/destinations"), seeded.destination)
