"""The cost of a round: it reads no more when there are more past deliveries."""

import re
from functools import partial

import pytest

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
from tests.query_plans import explain, record_statements
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDestination, DeliveryStatus, DestinationProblem, DrillNumber, ProblemKind
from webapp.notices import problem_closing, unconfirmed_problems
from webapp.notices.problem_closing import close_problems
from webapp.notices.unconfirmed_problems import open_unconfirmed
from webapp.notices.worker_rounds import PASS_TIME, NoticeRounds
from webapp.settings import AppSettings


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_drills_and_tests_that_were_seen_are_looked_for_by_destination(context: None, seeded: SeededIds) -> None:
    """Each has a subplan. PostgreSQL joins what is in an EXISTS instead, and reads the tests of all workspaces."""
    get_destination(seeded).needs_confirmation = True
    db.session.commit()
    _page, (statement, parameters) = record_statements(partial(open_unconfirmed, NOW))
    assert "SubPlan 2" in explain(statement, parameters)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_messages_since_a_problem_are_found_by_their_time(context: None, seeded: SeededIds) -> None:
    """Otherwise, each round would read every message that a destination with an open problem ever got.

    PostgreSQL chooses by the size of its tables: `make bench` shows what it does with many messages.
    """
    _add_problem(seeded.destination)
    _page, (statement, parameters) = record_statements(partial(close_problems, NOW))
    plan = explain(statement, parameters)

    assert statement.count("alert_deliveries.created_at >=") == 2 * LOOKS_FOR_MESSAGES
    assert len(re.findall(_BY_TIME, plan)) == LOOKS_FOR_MESSAGES, plan


# Messages that were seen, and messages that were accepted.
LOOKS_FOR_MESSAGES = 2
_BY_TIME = r"SEARCH alert_deliveries .*alert_destination_id=\? AND (?:event_type=\? AND )?created_at>\?"


def _add_problem(destination_id: int) -> None:
    destination = db.session.get_one(AlertDestination, destination_id)
    delivery = add_delivery(destination, status=DeliveryStatus.FAILED, last_error_code=Code.NOT_FOUND)
    facts = {"delivery_id": delivery.id, "message_at": NOW, "failed_at": NOW, "settings_version": 1}
    ids = {"workspace_id": destination.workspace_id, "alert_destination_id": destination.id}
    db.session.add(DestinationProblem(kind=ProblemKind.FAILING, opened_at=NOW, **ids, **facts))
    db.session.commit()


def _add_destinations(seeded: SeededIds, app_settings: AppSettings, number: int) -> list[int]:
    settings, harbor, admin = {"address": "https://example.com/hook"}, get_workspace(seeded), get_account(seeded)
    return [
        add_destination(harbor, admin, "webhook", f"Place {each}", settings, app_settings.cipher, NOW).id
        for each in range(number)
    ]


def _count_open() -> int:
    return db.session.query(DestinationProblem).filter(DestinationProblem.closed_at.is_(None)).count()


@on_both_databases
def test_a_round_looks_at_many_problems_page_by_page(
    context: None, seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_closing, "PAGE_SIZE", 2)
    monkeypatch.setattr(problem_closing, "_PAGE", problem_closing._PAGE.limit(2))
    ids = _add_destinations(seeded, app_settings, 5)
    for destination_id in ids:
        _add_problem(destination_id)
        db.session.get_one(AlertDestination, destination_id).is_enabled = False
    db.session.commit()

    left = []
    after: int | None = 0
    while after is not None:
        after = close_problems(NOW, after)
        left.append(_count_open())

    assert left == [3, 1, 0]


@on_both_databases
def test_a_round_looks_at_many_destinations_page_by_page(
    context: None, seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unconfirmed_problems, "PAGE_SIZE", 2)
    monkeypatch.setattr(unconfirmed_problems, "_PAGE", unconfirmed_problems._PAGE.limit(2))
    for destination_id in _add_destinations(seeded, app_settings, 5):
        destination = db.session.get_one(AlertDestination, destination_id)
        destination.needs_confirmation = True
        drill = {"drill": DrillNumber.FIRST, "status": DeliveryStatus.SENT, "sent_at": NOW}
        add_delivery(destination, **drill)
    db.session.commit()

    opened = []
    after: int | None = 0
    while after is not None:
        after = open_unconfirmed(NOW + seconds(8 * 86400), after)
        opened.append(_count_open())

    assert opened == [2, 4, 5]


@on_both_databases
def test_a_round_that_takes_long_is_continued_by_the_next_pass(
    context: None, seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the maintenance, and the heartbeat after it, wait for one step at a time."""
    monkeypatch.setattr(problem_closing, "PAGE_SIZE", 1)
    monkeypatch.setattr(problem_closing, "_PAGE", problem_closing._PAGE.limit(1))
    for destination_id in _add_destinations(seeded, app_settings, 3):
        _add_problem(destination_id)
        db.session.get_one(AlertDestination, destination_id).is_enabled = False
    db.session.commit()
    passed = iter(range(1000))
    rounds = NoticeRounds(clock=lambda: next(passed) * PASS_TIME)  # so slow that each pass makes one step

    left = []
    for _ in range(5):
        rounds.run(NOW)
        left.append(_count_open())

    assert left == [3, 2, 1, 0, 0]  # the first step looks for what nobody confirmed
