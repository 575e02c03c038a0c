"""The life of a delivery: the list of changes, the function that makes them, the database, and the drawing agree."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import CompileError, IntegrityError

from benchmarks.installation.processes import ROOT
from tests.factories import NOW, Cast, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.deliveries.transitions import FAIL, LIFE, Change, Stage, make_change
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = pytest.mark.usefixtures("context")

LATER = NOW + seconds(5)

STANDING: dict[Stage, dict[str, Any]] = {
    Stage.WAITING: {"status": DeliveryStatus.QUEUED},
    Stage.SENDING: {"status": DeliveryStatus.QUEUED, "attempt_started_at": NOW, "attempt_count": 1},
    Stage.DEFERRED: {"status": DeliveryStatus.DEFERRED, "send_after": NOW, "attempt_count": 1},
    Stage.SENT: {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1},
    Stage.FAILED: {"status": DeliveryStatus.FAILED, "last_error_code": "not_found", "attempt_count": 1},
    Stage.CANCELED: {"status": DeliveryStatus.CANCELED, "last_error_code": "superseded"},
    Stage.SUPPRESSED: {"status": DeliveryStatus.SUPPRESSED},
}
"""What a row that stands there holds."""

FACTS: dict[Stage, dict[str, Any]] = {
    Stage.WAITING: {},
    Stage.SENDING: {"attempt_count": 1},
    Stage.DEFERRED: {"send_after": LATER},
    Stage.SENT: {"sent_at": LATER},
    Stage.FAILED: {"last_error_code": "worker_lost"},
    Stage.CANCELED: {"last_error_code": "superseded"},
}
"""What a change that leads there tells."""

ENDS = (Stage.SENT, Stage.FAILED, Stage.CANCELED, Stage.SUPPRESSED)
STEPS = {(source, change.target) for change in LIFE for source in change.sources}


def _stand(cast: Cast, stage: Stage, **facts: Any) -> AlertDelivery:
    return add_delivery(get_destination(cast), **(STANDING[stage] | facts))


def _look(delivery: AlertDelivery) -> tuple[Any, ...]:
    db.session.refresh(delivery)
    return delivery.status, delivery.attempt_started_at, delivery.attempt_count, delivery.updated_at


def test_a_fact_that_no_column_holds_is_an_error_and_not_dropped(cast: Cast) -> None:
    delivery = _stand(cast, Stage.SENDING)

    with pytest.raises(CompileError, match="anser_status"):
        make_change(FAIL, delivery.id, LATER, last_error_code="not_found", anser_status=500)


@pytest.mark.parametrize("change", LIFE, ids=lambda change: change.name)
@pytest.mark.parametrize("stage", Stage)
@on_both_databases
def test_a_change_is_made_where_it_begins_and_nowhere_else(cast: Cast, stage: Stage, change: Change) -> None:
    delivery = _stand(cast, stage)
    before = _look(delivery)

    made = make_change(change, delivery.id, LATER, **FACTS[change.target])

    assert made is (stage in change.sources)
    assert (_look(delivery) != before) is made


@pytest.mark.parametrize(("source", "target"), list(product(Stage, Stage)), ids=str)
@on_both_databases
def test_the_database_allows_exactly_the_listed_steps(cast: Cast, source: Stage, target: Stage) -> None:
    delivery = _stand(cast, source)
    attempts = delivery.attempt_count + (source is not target is Stage.SENDING)
    code = delivery.last_error_code if source is target else "not_found"
    row = {"send_after": None, "sent_at": None, "attempt_started_at": None} | STANDING[target]
    row |= {"attempt_count": attempts, "last_error_code": code}

    assert _is_allowed(delivery, row) is (source is target or (source, target) in STEPS)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.WAITING])
@pytest.mark.parametrize("by", [-1, 1, 5])
@on_both_databases
def test_the_database_lets_attempts_be_counted_by_a_claim_alone(cast: Cast, stage: Stage, by: int) -> None:
    delivery = _stand(cast, stage, attempt_count=2)

    assert not _is_allowed(delivery, {"attempt_count": 2 + by})


@on_both_databases
def test_the_database_refuses_a_second_claim_of_the_same_attempt(cast: Cast) -> None:
    assert not _is_allowed(_stand(cast, Stage.SENDING), {"attempt_started_at": LATER})


@pytest.mark.parametrize("stage", ENDS)
@pytest.mark.parametrize("late", [{"sent_at": LATER}, {"last_error_code": "gone"}, {"attempt_started_at": LATER}])
@on_both_databases
def test_the_database_refuses_what_comes_after_the_end(cast: Cast, stage: Stage, late: dict[str, Any]) -> None:
    assert not _is_allowed(_stand(cast, stage), late)


@on_both_databases
def test_the_database_lets_an_ended_row_forget_who_pressed(cast: Cast) -> None:
    sent = _stand(cast, Stage.SENT, requested_by_id=cast.admin)

    assert _is_allowed(sent, {"requested_by_id": None})


@on_both_databases
def test_the_database_lets_another_program_move_real_alerts_as_it_likes(cast: Cast) -> None:
    alert = add_real_alert(get_destination(cast), status=DeliveryStatus.SENT, sent_at=NOW, attempt_count=1)

    assert _is_allowed(alert, {"status": DeliveryStatus.QUEUED, "attempt_count": 0})


def test_no_change_leads_away_from_an_end() -> None:
    assert {source for source, _ in STEPS} & set(ENDS) == set()


@pytest.mark.parametrize("change", LIFE, ids=lambda change: change.name)
def test_the_drawing_shows_every_change(change: Change) -> None:
    drawing = (ROOT / "docs" / "life-of-a-delivery.md").read_text()

    arrows = [f"{source} --> {change.target}: {change.name}" for source in change.sources]
    row = f"| {change.name} | {', '.join(change.sources)} | {change.target} | {change.by} | {change.needs} |"
    assert [line for line in (*arrows, row) if line not in drawing] == []


def _is_allowed(delivery: AlertDelivery, values: dict[str, Any]) -> bool:
    try:
        db.session.execute(update(AlertDelivery).where(AlertDelivery.id == delivery.id).values(**values))
    except IntegrityError:
        db.session.rollback()
        return False
    db.session.rollback()
    return True
