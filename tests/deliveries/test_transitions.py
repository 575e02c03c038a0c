"""The life of a delivery: the list of changes, the function that makes them, the database, and the drawing agree."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.exc import CompileError, IntegrityError

from benchmarks.installation.processes import ROOT
from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.deliveries.transitions import FAIL, TRANSITIONS, State, Transition, apply_transition
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = pytest.mark.usefixtures("context")

Shared = Callable[[str], tuple[Flask, SeededIds]]

LATER = NOW + seconds(5)

STANDING: dict[State, dict[str, Any]] = {
    State.WAITING: {"status": DeliveryStatus.QUEUED},
    State.SENDING: {"status": DeliveryStatus.QUEUED, "attempt_started_at": NOW, "attempt_count": 1},
    State.DEFERRED: {"status": DeliveryStatus.DEFERRED, "send_after": NOW, "attempt_count": 1},
    State.SENT: {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1},
    State.FAILED: {"status": DeliveryStatus.FAILED, "last_error_code": "not_found", "attempt_count": 1},
    State.CANCELED: {"status": DeliveryStatus.CANCELED, "last_error_code": "superseded"},
    State.SUPPRESSED: {"status": DeliveryStatus.SUPPRESSED},
}
"""What a row that stands there holds."""

FACTS: dict[State, dict[str, Any]] = {
    State.WAITING: {},
    State.SENDING: {"attempt_count": 1},
    State.DEFERRED: {"send_after": LATER},
    State.SENT: {"sent_at": LATER},
    State.FAILED: {"last_error_code": "worker_lost"},
    State.CANCELED: {"last_error_code": "superseded"},
}
"""What a change that leads there tells."""

ENDS = (State.SENT, State.FAILED, State.CANCELED, State.SUPPRESSED)
STEPS = {(source, change.target) for change in TRANSITIONS for source in change.sources}


@pytest.fixture
def app(shared: Shared, database: str) -> Flask:
    """One application for all tests here: none changes more than its own deliveries."""
    return shared(database)[0]


@pytest.fixture
def seeded(shared: Shared, database: str) -> SeededIds:
    return shared(database)[1]


@pytest.fixture
def context(context: None) -> Iterator[None]:
    """Leave no delivery to the next test."""
    yield
    db.session.rollback()
    db.session.execute(delete(AlertDelivery))
    db.session.commit()


def _stand(seeded: SeededIds, stage: State, **facts: Any) -> AlertDelivery:
    return add_delivery(get_destination(seeded), **(STANDING[stage] | facts))


def _look(delivery: AlertDelivery) -> tuple[Any, ...]:
    db.session.refresh(delivery)
    return delivery.status, delivery.attempt_started_at, delivery.attempt_count, delivery.updated_at


def test_a_fact_that_no_column_holds_is_an_error_and_not_dropped(seeded: SeededIds) -> None:
    delivery = _stand(seeded, State.SENDING)

    with pytest.raises(CompileError, match="anser_status"):
        apply_transition(FAIL, delivery.id, LATER, last_error_code="not_found", anser_status=500)


@pytest.mark.parametrize("change", TRANSITIONS, ids=lambda change: change.name)
@pytest.mark.parametrize("stage", State)
@on_both_databases
def test_a_change_is_made_where_it_begins_and_nowhere_else(seeded: SeededIds, stage: State, change: Transition) -> None:
    delivery = _stand(seeded, stage)
    before = _look(delivery)

    made = apply_transition(change, delivery.id, LATER, **FACTS[change.target])

    assert made is (stage in change.sources)
    assert (_look(delivery) != before) is made


@pytest.mark.parametrize(("source", "target"), list(product(State, State)), ids=str)
@on_both_databases
def test_the_database_allows_exactly_the_listed_steps(seeded: SeededIds, source: State, target: State) -> None:
    delivery = _stand(seeded, source)
    attempts = delivery.attempt_count + (source is not target is State.SENDING)
    code = delivery.last_error_code if source is target else "not_found"
    row = {"send_after": None, "sent_at": None, "attempt_started_at": None} | STANDING[target]
    row |= {"attempt_count": attempts, "last_error_code": code}

    assert _is_allowed(delivery, row) is (source is target or (source, target) in STEPS)


@pytest.mark.parametrize("stage", [stage for stage in State if stage is not State.WAITING])
@pytest.mark.parametrize("by", [-1, 1, 5])
@on_both_databases
def test_the_database_lets_attempts_be_counted_by_a_claim_alone(seeded: SeededIds, stage: State, by: int) -> None:
    delivery = _stand(seeded, stage, attempt_count=2)

    assert not _is_allowed(delivery, {"attempt_count": 2 + by})


@on_both_databases
def test_the_database_refuses_a_second_claim_of_the_same_attempt(seeded: SeededIds) -> None:
    assert not _is_allowed(_stand(seeded, State.SENDING), {"attempt_started_at": LATER})


@pytest.mark.parametrize("stage", ENDS)
@pytest.mark.parametrize("late", [{"sent_at": LATER}, {"last_error_code": "gone"}, {"attempt_started_at": LATER}])
@on_both_databases
def test_the_database_refuses_what_comes_after_the_end(seeded: SeededIds, stage: State, late: dict[str, Any]) -> None:
    assert not _is_allowed(_stand(seeded, stage), late)


@on_both_databases
def test_the_database_lets_an_ended_row_forget_who_pressed(seeded: SeededIds) -> None:
    sent = _stand(seeded, State.SENT, requested_by_id=seeded.admin)

    assert _is_allowed(sent, {"requested_by_id": None})


@on_both_databases
def test_the_database_lets_another_program_move_real_alerts_as_it_likes(seeded: SeededIds) -> None:
    alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, attempt_count=1)

    assert _is_allowed(alert, {"status": DeliveryStatus.QUEUED, "attempt_count": 0})


def test_no_change_leads_away_from_an_end() -> None:
    assert {source for source, _ in STEPS} & set(ENDS) == set()


@pytest.mark.parametrize("change", TRANSITIONS, ids=lambda change: change.name)
def test_the_drawing_shows_every_change(change: Transition) -> None:
    drawing = (ROOT / "docs" / "delivery-states.md").read_text()

    arrows = [f"{source} --> {change.target}: {change.name}" for source in change.sources]
    row = f"| {change.name} | {', '.join(change.sources)} | {change.target} | {change.actor} | {change.condition} |"
    assert [line for line in (*arrows, row) if line not in drawing] == []


def _is_allowed(delivery: AlertDelivery, values: dict[str, Any]) -> bool:
    try:
        db.session.execute(update(AlertDelivery).where(AlertDelivery.id == delivery.id).values(**values))
    except IntegrityError:
        db.session.rollback()
        return False
    db.session.rollback()
    return True
