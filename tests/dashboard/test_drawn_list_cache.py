"""The drawn list: kept while it shows the same, and drawn anew whenever it would show something else."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from flask import Flask
from markupsafe import Markup
from sqlalchemy import update

from tests.dashboard.random_destinations import add_random_destinations
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
from webapp.dashboard import drawn_list_cache
from webapp.dashboard.drawn_list_cache import draw_list, load_list
from webapp.dashboard.list_version import LONGEST_REUSE
from webapp.dashboard.overview import ListQuery, Order
from webapp.dashboard.proof_gaps import ProofGap
from webapp.dashboard.summaries import Tab, fetch_summary_rows
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, Role, Workspace

pytestmark = pytest.mark.usefixtures("context")

CountQueries = Callable[[], AbstractContextManager[list[str]]]


def _draw(
    app: Flask, seeded: SeededIds, role: Role = Role.ADMIN, now: datetime = LATER, query: ListQuery | None = None
) -> Markup:
    db.session.expire_all()
    return _draw_for(app, Visit(get_account(seeded), get_workspace(seeded), role), now, query)


def _draw_for(app: Flask, visit: Visit, now: datetime = LATER, query: ListQuery | None = None) -> Markup:
    with app.test_request_context():
        query = query or ListQuery()
        return draw_list(visit, load_list(visit.workspace.id, query, now), query, now)[0]


def _draw_anew(app: Flask, seeded: SeededIds, now: datetime = LATER) -> Markup:
    state = app_state(app)
    for kept in (state.drawn_rows, state.drawn_lists, state.known_destinations):
        kept.clear()
    return _draw(app, seeded, now=now)


def _add_sent(seeded: SeededIds, **facts: object) -> AlertDelivery:
    return add_delivery(get_destination(seeded), **({"status": DeliveryStatus.SENT, "sent_at": NOW} | facts))


@on_both_databases
def test_a_list_that_shows_the_same_takes_one_query_and_is_not_drawn_again(
    app: Flask, seeded: SeededIds, count_queries: CountQueries
) -> None:
    _add_sent(seeded)
    first = _draw(app, seeded)
    visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)

    with count_queries() as queries:
        again = _draw_for(app, visit)

    assert again is first
    assert len([query for query in queries if "set_config" not in query]) == 1
    assert 'data-last-test="sent"' in first


@on_both_databases
@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_the_list_is_the_one_that_is_drawn_anew(
    app: Flask, seeded: SeededIds, change: Callable[[SeededIds], None]
) -> None:
    _add_sent(seeded)
    _draw(app, seeded)

    change(seeded)

    assert _draw(app, seeded) == _draw_anew(app, seeded)


@pytest.mark.parametrize(
    "age", [timedelta(minutes=3), timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=60)]
)
@pytest.mark.parametrize("offset", [-0.6, -0.5, -0.4, 0, 0.1])
def test_ages_stay_true(app: Flask, seeded: SeededIds, age: timedelta, offset: float) -> None:
    get_destination(seeded).type = "teams"  # it warns of an idle receiver after 60 days
    _add_sent(seeded, sent_at=NOW + seconds(7))
    border = NOW + seconds(7) + age
    _draw(app, seeded, now=border - seconds(1))

    assert _draw(app, seeded, now=border + seconds(offset)) == _draw_anew(app, seeded, now=border + seconds(offset))


def test_a_list_with_a_test_that_waits_is_drawn_each_time(app: Flask, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.QUEUED)

    _draw(app, seeded)

    assert app_state(app).drawn_lists == {}


def test_a_list_is_drawn_each_time_until_its_last_test_is_two_minutes_old(app: Flask, seeded: SeededIds) -> None:
    _add_sent(seeded, updated_at=LATER - seconds(119))

    _draw(app, seeded)
    assert app_state(app).drawn_lists == {}

    _draw(app, seeded, now=LATER + seconds(1))
    assert len(app_state(app).drawn_lists) == 1


def test_a_list_is_kept_for_ten_minutes_at_most(app: Flask, seeded: SeededIds) -> None:
    _add_sent(seeded)
    _draw(app, seeded)
    get_account(seeded).name = "Renamed"  # a name that nothing covers
    db.session.commit()

    assert _draw(app, seeded, now=LATER + LONGEST_REUSE) == _draw_anew(app, seeded, now=LATER + LONGEST_REUSE)


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=365)])
def test_a_list_that_was_drawn_while_the_clock_was_ahead_is_not_shown_once_it_is_right(
    app: Flask, seeded: SeededIds, ahead: timedelta
) -> None:
    _add_sent(seeded, sent_at=LATER - timedelta(minutes=3))
    _draw(app, seeded, now=LATER + ahead)

    assert _draw(app, seeded) == _draw_anew(app, seeded)


def test_each_role_and_filter_has_its_own_list(app: Flask, seeded: SeededIds) -> None:
    _add_sent(seeded)
    name = f"<bdi>{get_destination(seeded).name}</bdi>"

    assert "<button" in _draw(app, seeded).partition("<ul")[2]
    assert "<button" not in _draw(app, seeded, Role.VIEWER).partition("<ul")[2]
    assert name in _draw(app, seeded)
    assert name not in _draw(app, seeded, query=ListQuery(state=Tab.FAILED))


def test_each_workspace_has_its_own_list_also_if_both_are_empty(app: Flask, seeded: SeededIds) -> None:
    other = db.session.get_one(Workspace, seeded.clinic)
    db.session.execute(update(AlertDestination).values(deleted_at=NOW))
    db.session.commit()

    assert "/w/harbor/" in _draw(app, seeded)
    assert "/w/harbor/" not in _draw_for(app, Visit(get_account(seeded), other, Role.ADMIN))


def test_the_state_of_a_list_ends_when_a_destination_becomes_stale(seeded: SeededIds) -> None:
    _add_sent(seeded, sent_at=NOW + seconds(7))  # not a multiple of `LONGEST_REUSE`, at which each state ends
    border = NOW + timedelta(days=30) + seconds(7)

    states = [load_list(seeded.harbor, ListQuery(), border + seconds(offset)).state for offset in (-0.4, -0.1, 0)]

    assert states[0] == states[1] != states[2]


QUERIES = (
    ListQuery(),
    ListQuery(order=Order.NAME, page=2),
    ListQuery(order=Order.CHANNEL, text="STRASSE"),
    ListQuery(gap=ProofGap.STALE),
    ListQuery(gap=ProofGap.UNCONFIRMED),
    ListQuery(tag="night"),
)


@on_both_databases
def test_a_list_of_which_some_destinations_changed_is_the_one_that_is_read_anew(app: Flask, seeded: SeededIds) -> None:
    chance = random.Random(3)
    add_random_destinations(seeded, chance, 110)
    for query in QUERIES:
        load_list(seeded.harbor, query, NOW)
    for number in range(3):
        add_random_destinations(seeded, chance, 5)
        now = NOW + timedelta(hours=number)
        kept = [load_list(seeded.harbor, query, now) for query in QUERIES]
        app_state(app).known_destinations.clear()
        assert kept == [load_list(seeded.harbor, query, now) for query in QUERIES]


def test_the_order_in_which_the_database_returns_destinations_changes_no_list(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_random_destinations(seeded, random.Random(7), 110)
    lists = [load_list(seeded.harbor, query, LATER) for query in QUERIES]
    app_state(app).known_destinations.clear()
    monkeypatch.setattr(
        "webapp.dashboard.drawn_list_cache.fetch_summary_rows",
        lambda *arguments: fetch_summary_rows(*arguments)[::-1],
    )

    assert [load_list(seeded.harbor, query, LATER) for query in QUERIES] == lists


def test_of_the_destinations_only_those_that_changed_are_read_again(seeded: SeededIds) -> None:
    add_random_destinations(seeded, random.Random(5), 20)
    before = load_list(seeded.harbor, ListQuery(), LATER).summaries
    _add_sent(seeded)

    after = load_list(seeded.harbor, ListQuery(), LATER).summaries

    same = {id(summary) for summary in before} & {id(summary) for summary in after}
    assert len(same) == len(before) - 1 == len(after) - 1


def test_a_process_keeps_the_destinations_of_the_workspaces_that_were_shown_last(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn_list_cache, "MAX_DESTINATIONS", 4)
    empty = range(1000, 1010)
    for workspace_id in (*empty, seeded.harbor, seeded.clinic):
        load_list(workspace_id, ListQuery(), NOW)
    assert set(app_state(app).known_destinations) == {seeded.harbor, seeded.clinic}

    add_random_destinations(seeded, random.Random(5), 1)
    load_list(seeded.harbor, ListQuery(), NOW)
    assert set(app_state(app).known_destinations) == {seeded.harbor}


def test_a_change_on_another_page_of_the_list_changes_the_state_of_this_one_if_a_number_changes(
    seeded: SeededIds,
) -> None:
    facts = {"workspace_id": seeded.harbor, "type": "slack", "config": "", "created_at": NOW, "updated_at": NOW}
    db.session.add_all(AlertDestination(name=f"Number {number:03}", **facts) for number in range(110))
    db.session.commit()
    before = load_list(seeded.harbor, ListQuery(order=Order.NAME), LATER)

    _add_sent(seeded)  # to the one that is called "Ticket system"

    after = load_list(seeded.harbor, ListQuery(order=Order.NAME), LATER)
    assert before.summaries == after.summaries
    assert None is not before.state != after.state is not None
