"""The states of a delivery: the listed transitions, `apply_transition`, the database and the document agree."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.exc import CompileError, IntegrityError

from benchmarks.installation.processes import ROOT
from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.deliveries.states import State
from webapp.deliveries.transitions import FAIL, TRANSITIONS, Transition, apply_transition
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = pytest.mark.usefixtures("context")

Shared = Callable[[str], tuple[Flask, SeededIds]]

LATER = NOW + seconds(5)

# The columns of a row in each state.
ROWS: dict[State, dict[str, Any]] = {
    State.WAITING: {"status": DeliveryStatus.QUEUED},
    State.SENDING: {"status": DeliveryStatus.QUEUED, "attempt_started_at": NOW, "attempt_count": 1},
    State.DEFERRED: {"status": DeliveryStatus.DEFERRED, "send_after": NOW, "attempt_count": 1},
    State.SENT: {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1},
    State.FAILED: {"status": DeliveryStatus.FAILED, "last_error_code": "not_found", "attempt_count": 1},
    State.CANCELED: {"status": DeliveryStatus.CANCELED, "last_error_code": "superseded"},
    State.SUPPRESSED: {"status": DeliveryStatus.SUPPRESSED},
}

# The values that a transition to each state needs.
REQUIRED_FACTS: dict[State, dict[str, Any]] = {
    State.WAITING: {},
    State.SENDING: {"attempt_count": 1},
    State.DEFERRED: {"send_after": LATER},
    State.SENT: {"sent_at": LATER},
    State.FAILED: {"last_error_code": "worker_lost"},
    State.CANCELED: {"last_error_code": "superseded"},
}

FINAL_STATES = (State.SENT, State.FAILED, State.CANCELED, State.SUPPRESSED)
STEPS = {(source, transition.target) for transition in TRANSITIONS for source in transition.sources}


@pytest.fixture
def app(shared: Shared, database: str) -> Flask:
    """One application for all tests here, because a test changes only its own deliveries."""
    return shared(database)[0]


@pytest.fixture
def seeded(shared: Shared, database: str) -> SeededIds:
    return shared(database)[1]


@pytest.fixture
def context(context: None) -> Iterator[None]:
    """Delete all deliveries after each test."""
    yield
    db.session.rollback()
    db.session.execute(delete(AlertDelivery))
    db.session.commit()


def _add(seeded: SeededIds, state: State, **facts: Any) -> AlertDelivery:
    return add_delivery(get_destination(seeded), **(ROWS[state] | facts))


def _read(delivery: AlertDelivery) -> tuple[Any, ...]:
    db.session.refresh(delivery)
    return delivery.status, delivery.attempt_started_at, delivery.attempt_count, delivery.updated_at


def test_a_value_without_a_column_is_an_error(seeded: SeededIds) -> None:
    delivery = _add(seeded, State.SENDING)

    with pytest.raises(CompileError, match="anser_status"):
        apply_transition(FAIL, delivery.id, LATER, last_error_code="not_found", anser_status=500)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
@pytest.mark.parametrize("state", State)
@on_both_databases
def test_a_transition_is_applied_only_in_its_source_states(
    seeded: SeededIds, state: State, transition: Transition
) -> None:
    delivery = _add(seeded, state)
    before = _read(delivery)

    applied = apply_transition(transition, delivery.id, LATER, **REQUIRED_FACTS[transition.target])

    assert applied is (state in transition.sources)
    assert (_read(delivery) != before) is applied


@pytest.mark.parametrize(("source", "target"), list(product(State, State)), ids=str)
@on_both_databases
def test_the_database_allows_exactly_the_listed_transitions(seeded: SeededIds, source: State, target: State) -> None:
    delivery = _add(seeded, source)
    attempts = delivery.attempt_count + (source is not target is State.SENDING)
    code = delivery.last_error_code if source is target else "not_found"
    row = {"send_after": None, "sent_at": None, "attempt_started_at": None} | ROWS[target]
    row |= {"attempt_count": attempts, "last_error_code": code}

    assert _is_allowed(delivery, row) is (source is target or (source, target) in STEPS)


@pytest.mark.parametrize("state", [state for state in State if state is not State.WAITING])
@pytest.mark.parametrize("by", [-1, 1, 5])
@on_both_databases
def test_the_database_allows_only_a_claim_to_count_attempts(seeded: SeededIds, state: State, by: int) -> None:
    delivery = _add(seeded, state, attempt_count=2)

    assert not _is_allowed(delivery, {"attempt_count": 2 + by})


@on_both_databases
def test_the_database_refuses_a_second_claim_of_the_same_attempt(seeded: SeededIds) -> None:
    assert not _is_allowed(_add(seeded, State.SENDING), {"attempt_started_at": LATER})


@pytest.mark.parametrize("state", FINAL_STATES)
@pytest.mark.parametrize("values", [{"sent_at": LATER}, {"last_error_code": "gone"}, {"attempt_started_at": LATER}])
@on_both_databases
def test_the_database_refuses_to_change_a_completed_row(
    seeded: SeededIds, state: State, values: dict[str, Any]
) -> None:
    assert not _is_allowed(_add(seeded, state), values)


@on_both_databases
def test_the_database_lets_a_completed_row_lose_its_requester(seeded: SeededIds) -> None:
    sent = _add(seeded, State.SENT, requested_by_id=seeded.admin)

    assert _is_allowed(sent, {"requested_by_id": None})


@on_both_databases
def test_the_database_lets_another_program_change_real_alerts_freely(seeded: SeededIds) -> None:
    alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, attempt_count=1)

    assert _is_allowed(alert, {"status": DeliveryStatus.QUEUED, "attempt_count": 0})


def test_no_transition_leaves_a_final_state() -> None:
    assert {source for source, _ in STEPS} & set(FINAL_STATES) == set()


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
def test_the_document_shows_every_transition(transition: Transition) -> None:
    document = (ROOT / "docs" / "delivery-states.md").read_text()

    arrows = [f"{source} --> {transition.target}: {transition.name}" for source in transition.sources]
    cells = (transition.name, ", ".join(transition.sources), transition.target, transition.actor, transition.condition)
    row = f"| {' | '.join(cells)} |"
    assert [line for line in (*arrows, row) if line not in document] == []


def _is_allowed(delivery: AlertDelivery, values: dict[str, Any]) -> bool:
    try:
        db.session.execute(update(AlertDelivery).where(AlertDelivery.id == delivery.id).values(**values))
    except IntegrityError:
        db.session.rollback()
        return False
    db.session.rollback()
    return True
