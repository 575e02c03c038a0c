"""The poll of a test that waits alone: it waits for the outcome, holds nothing meanwhile, and then reads all anew."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask, current_app
from redis.client import Pipeline
from sqlalchemy import delete, update

from benchmarks.installation.processes import wait_until
from benchmarks.installation.servers import QueueServer
from tests.factories import (
    SeededIds,
    add_customer_link,
    add_delivery,
    add_real_alert,
    get_destination,
    on_both_databases,
    seconds,
    sign_customer_token,
)
from tests.queue_keys import SECRET_KEY, key_of
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp import queue
from webapp.app_state import app_state
from webapp.dashboard import poll_interval
from webapp.database.request_slots import MAX_REQUESTS
from webapp.database.sessions import _SLOTS
from webapp.deliveries.transitions import ACCEPT, CLAIM, apply_transition
from webapp.extensions import db
from webapp.models import Account, AlertDestination, CustomerLink, DeliveryStatus, Member, SignIn
from webapp.queue import outcome_waits
from webapp.queue.outcome_waits import OPTIONS, OutcomeWaits

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/destinations/1"
STATUS = f"{PAGE}/status"
TOKEN = sign_customer_token(SECRET_KEY)
LINK = f"/c/{TOKEN}"
SENT = 'data-last-test="sent"'
PENDING = 'data-last-test="pending"'

# Seconds of a wait that only an announcement ends in time.
LONG = 50.0


# The seconds for which a test is young enough: more than a request of it takes on a busy machine.
YOUNG = 60.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_interval, "WAIT_AGE", timedelta(seconds=YOUNG))


@dataclass
class ScriptedWaits:
    """Waits in which something else happens, instead of an announcement. awaited: the deliveries."""

    meanwhile: Callable[[], object] = lambda: None
    awaited: list[int] = field(default_factory=list)

    def announce(self, delivery_id: int, pipeline: Pipeline) -> None:
        """Do nothing."""

    def has_place(self) -> bool:
        return True

    def wait(self, delivery_id: int, leave: Callable[[], object]) -> bool:
        self.awaited.append(delivery_id)
        leave()
        self.meanwhile()
        return True


@pytest.fixture
def waits(app: Flask) -> ScriptedWaits:
    app_state(app).outcome_waits = waits = ScriptedWaits()
    return waits


@pytest.fixture
def long_waits(app: Flask, queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real waits, which end by an announcement, or after much longer than a test may take."""
    monkeypatch.setattr(outcome_waits, "LONGEST_WAIT", LONG)
    client = queue.connect(queue_server.url, **(OPTIONS | {"socket_timeout": 2 * LONG}))
    app_state(app).outcome_waits = OutcomeWaits(client, app_state(app).settings.redis_prefix)
    yield
    client.close()


def _add(app: Flask, seeded: SeededIds, age: float = 0, **facts: Any) -> int:
    with app.app_context():
        created_at = datetime.now(UTC) - seconds(age)
        return add_delivery(get_destination(seeded), **({"created_at": created_at} | facts)).id


def _accept(app: Flask, delivery_id: int) -> None:
    with app.app_context():
        now = datetime.now(UTC)
        apply_transition(CLAIM, delivery_id, now, attempt_count=1)
        apply_transition(ACCEPT, delivery_id, now, sent_at=now)
        db.session.commit()


def _execute(app: Flask, statement: Any) -> None:
    with app.app_context():
        db.session.execute(statement)
        db.session.commit()


@on_both_databases
def test_an_outcome_that_is_recorded_while_a_poll_waits_is_its_answer(
    app: Flask, seeded: SeededIds, visit: Visit, queue_server: QueueServer, long_waits: None
) -> None:
    delivery_id, visitor, answers = _add(app, seeded), visit(seeded.viewer), list[str]()
    poll = Thread(target=lambda: answers.append(visitor.get(STATUS).text))
    poll.start()
    wait_until(lambda: queue.connect(queue_server.url).info("clients")["blocked_clients"] == 1)

    _accept(app, delivery_id)
    poll.join(LONG / 2)

    assert [SENT in answer for answer in answers] == [True]


def test_only_outcomes_of_tests_are_announced(app: Flask, seeded: SeededIds, queue_server: QueueServer) -> None:
    delivery_id = _add(app, seeded)
    with app.app_context():
        real = add_real_alert(get_destination(seeded)).id
    for each in (delivery_id, real):
        _accept(app, each)

    announced = queue.connect(queue_server.url).keys(key_of("outcome:*"))
    assert announced == [key_of(f"outcome:{delivery_id}").encode()]


def test_an_outcome_that_nobody_announced_is_the_answer_after_the_wait(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits
) -> None:
    """As if the worker was killed between its commit and the announcement."""
    delivery_id, visitor = _add(app, seeded), visit(seeded.viewer)
    waits.meanwhile = lambda: _accept(app, delivery_id)

    assert SENT in visitor.get(STATUS).text


@on_both_databases
def test_a_poll_that_waits_holds_no_connection_and_no_slot(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits
) -> None:
    held = list[tuple[int, int]]()

    def note() -> None:
        held.append((db.engine.pool.checkedout(), MAX_REQUESTS - current_app.extensions[_SLOTS]._free))  # type: ignore[attr-defined]

    waits.meanwhile = note
    _add(app, seeded)

    assert PENDING in visit(seeded.viewer).get(STATUS).text
    assert held == [(0, 0)]
    assert app.extensions[_SLOTS]._free == MAX_REQUESTS


def test_a_poll_that_waits_needs_one_statement_before_and_one_after(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits
) -> None:
    visitor, delivery_id = visit(seeded.viewer), _add(app, seeded)

    with collecting_statements(app) as statements:
        visitor.client.get(STATUS)

    assert (waits.awaited, len(statements)) == ([delivery_id], 2)


@pytest.mark.parametrize(
    "facts",
    [
        {"age": YOUNG},
        {"status": DeliveryStatus.DEFERRED, "send_after": datetime.now(UTC)},
        {"status": DeliveryStatus.SENT, "sent_at": datetime.now(UTC)},
    ],
)
def test_a_test_that_is_old_or_retried_or_ended_is_not_awaited(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits, facts: dict[str, Any]
) -> None:
    visitor, _ = visit(seeded.viewer), _add(app, seeded, **facts)

    with collecting_statements(app) as statements:
        assert visitor.client.get(STATUS).status_code == 200

    assert (waits.awaited, len(statements)) == ([], 1)


def test_a_test_beside_another_one_of_its_workspace_is_not_awaited(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits
) -> None:
    _add(app, seeded)
    _add(app, seeded)

    answer = visit(seeded.viewer).get(STATUS).text

    assert ('hx-trigger="every 50ms"' in answer, waits.awaited) == (True, [])


def test_neither_a_press_nor_a_page_waits(seeded: SeededIds, visit: Visit, waits: ScriptedWaits) -> None:
    visitor = visit(seeded.admin)

    answers = [visitor.post(f"{PAGE}/test").text, visitor.get(PAGE).text, visitor.get("/w/harbor/destinations").text]

    assert ['hx-trigger="every 10ms"' in answer for answer in answers] == [True] * 3
    assert waits.awaited == []


def test_nobody_waits_without_being_allowed_to_look(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits
) -> None:
    _add(app, seeded)

    assert visit(seeded.stranger).get(STATUS).status_code == 404
    assert Visitor(app.test_client()).get(STATUS).status_code == 302
    assert Visitor(app.test_client()).get(f"/c/{sign_customer_token(SECRET_KEY)}/status").status_code == 404
    assert waits.awaited == []


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        (delete(SignIn), 302),
        (update(Account).values(is_active=False), 302),
        (delete(Member), 404),
        (update(AlertDestination).values(deleted_at=datetime.now(UTC)), 404),
    ],
)
def test_who_loses_access_while_a_poll_waits_sees_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits, statement: Any, status: int
) -> None:
    _add(app, seeded)
    visitor = visit(seeded.viewer)
    waits.meanwhile = lambda: _execute(app, statement)

    answer = visitor.get(STATUS)

    assert (answer.status_code, len(waits.awaited), "Ticket system" in answer.text) == (status, 1, False)


def test_a_customers_poll_waits_too_and_notices_that_the_link_has_ended(
    app: Flask, seeded: SeededIds, waits: ScriptedWaits
) -> None:
    delivery_id = _add(app, seeded)
    with app.app_context():
        add_customer_link(seeded, TOKEN, seeded.support, datetime.now(UTC))
    customer = Visitor(app.test_client())
    waits.meanwhile = lambda: _accept(app, delivery_id)
    assert SENT in customer.get(f"{LINK}/status").text

    newest = _add(app, seeded)
    waits.meanwhile = lambda: _execute(app, delete(CustomerLink))
    assert customer.get(f"{LINK}/status").status_code == 404
    assert waits.awaited == [delivery_id, newest]


def test_without_a_queue_server_a_poll_is_answered_and_polls_on(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    _add(app, seeded)
    client = queue.connect("redis://127.0.0.1:1", **OPTIONS)
    app_state(app).outcome_waits = OutcomeWaits(client, "alertcheck")

    answer = visit(seeded.viewer).get(STATUS).text

    assert (PENDING in answer, 'hx-trigger="every 50ms"' in answer) == (True, True)


def test_the_page_of_a_reference_does_not_wait_and_is_not_told_so(
    app: Flask, seeded: SeededIds, visit: Visit, waits: ScriptedWaits
) -> None:
    _add(app, seeded, payload={"reference": "K7QM4T"})

    page = visit(seeded.viewer).get("/r/K7QM4T").text

    assert ('hx-trigger="every 50ms"' in page, waits.awaited) == (True, [])
