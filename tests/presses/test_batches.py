"""Test all: everything that may be tested, in order, and a record of what was left out and why."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from benchmarks.installation.servers import QueueServer
from tests.factories import (
    NOW,
    SIGNING_SECRET,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp import queue
from webapp.app_state import current_settings
from webapp.application import create_app
from webapp.auth.access import Visit
from webapp.destinations.editing import add_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, Batch, DeliveryStatus, Role
from webapp.presses.batch_progress import measure_progress
from webapp.presses.batches import KEPT_FOR, press_all
from webapp.presses.eligibility import RequestResult
from webapp.presses.left_out_destinations import LeftOut
from webapp.presses.testable_destinations import Candidate
from webapp.settings import read_settings

HOST = "https://one.example.org"


@pytest.fixture
def install(environment: dict[str, str], seeded: SeededIds) -> Iterator[Callable[..., Flask]]:
    """Create an application with these settings, on the seeded database."""
    apps = []

    def create(**settings: str) -> Flask:
        apps.append(create_app(read_settings(environment | settings)))
        return apps[-1]

    yield create
    for app in apps:
        with app.app_context():
            db.engine.dispose()


def add(app: Flask, seeded: SeededIds, *addresses: str) -> list[int]:
    """Add a webhook for each address, and return their ids."""
    with app.app_context():
        cipher, admin, harbor = current_settings().cipher, get_account(seeded), get_workspace(seeded)
        settings = [{"address": address, "signing_secret": SIGNING_SECRET} for address in addresses]
        return [
            add_destination(harbor, admin, "webhook", f"Number {number}", values, cipher, NOW).id
            for number, values in enumerate(settings)
        ]


def press(app: Flask, seeded: SeededIds, now: datetime = NOW) -> str:
    with app.app_context():
        return press_all(Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN), now)


def requested(app: Flask, batch: str) -> list[int]:
    """Return the tested destinations in the order of their test sends."""
    with app.app_context():
        query = select(AlertDelivery.alert_destination_id).where(AlertDelivery.batch == batch)
        return list(db.session.scalars(query.order_by(AlertDelivery.id)))


def left_out(app: Flask, seeded: SeededIds, batch: str) -> dict[RequestResult, LeftOut]:
    with app.app_context():
        return {part.reason: part for part in measure_progress(seeded.harbor, batch).left_out or ()}


def forget(queue_server: QueueServer) -> None:
    """Let the limits' minute pass, while the database's clock is `NOW`."""
    queue.connect(queue_server.url).flushall()


@on_both_databases
def test_never_tested_destinations_come_first_then_the_least_recently_tested(app: Flask, seeded: SeededIds) -> None:
    never, recent, old, oldest, never_too = add(app, seeded, *[f"https://{name}.example.org" for name in "abcde"])
    with app.app_context():
        for number, age in ((seeded.destination, 90), (recent, 61), (old, 7200), (oldest, 86_400)):
            destination = db.session.get_one(AlertDestination, number)
            add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW - seconds(age))
            # An older one, which must not count.
            add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW - seconds(10**6 + number))

    batch = press(app, seeded)

    assert requested(app, batch) == [never, never_too, oldest, old, seeded.destination, recent]


@on_both_databases
def test_of_110_webhooks_to_one_host_60_are_tested_and_50_are_left_out(
    app: Flask, seeded: SeededIds, queue_server: QueueServer
) -> None:
    numbers = add(app, seeded, *[f"{HOST}/{number}" for number in range(110)])

    first = press(app, seeded)

    assert requested(app, first) == [seeded.destination, *numbers[:60]]
    (part,) = left_out(app, seeded, first).values()
    assert (part.reason, part.count, part.seconds) == (RequestResult.TARGET_LIMIT, 50, 60)
    assert requested(app, press(app, seeded, NOW + seconds(30))) == []

    forget(queue_server)
    second = press(app, seeded, NOW + seconds(600))  # also if the first press took long
    assert requested(app, second)[:50] == numbers[60:]
    assert len(requested(app, second)) == 61  # the host's limit, and the trusted origin


def test_more_than_a_hundred_destinations_are_tested_with_one_press(app: Flask, seeded: SeededIds) -> None:
    numbers = add(app, seeded, *[f"https://host-{number}.example.org" for number in range(130)])

    batch = press(app, seeded)

    assert requested(app, batch) == [seeded.destination, *numbers]
    assert left_out(app, seeded, batch) == {}


@on_both_databases
def test_a_press_ends_at_the_limit_of_the_workspace_and_the_next_takes_the_others(
    install: Callable[..., Flask], seeded: SeededIds, queue_server: QueueServer
) -> None:
    app = install(ALERTCHECK_PRESSES_PER_WORKSPACE="3")
    numbers = [seeded.destination, *add(app, seeded, *[f"https://host-{number}.example.org" for number in range(4)])]

    first = press(app, seeded)
    forget(queue_server)
    second = press(app, seeded, NOW + seconds(10))

    assert requested(app, first) == numbers[:3]
    assert left_out(app, seeded, first) == {
        RequestResult.WORKSPACE_LIMIT: LeftOut(RequestResult.WORKSPACE_LIMIT, 2, 60)
    }
    assert requested(app, second) == numbers[3:]
    assert left_out(app, seeded, second)[RequestResult.COOLING_DOWN].count == 3


def test_what_is_left_out_counts_against_no_limit(install: Callable[..., Flask], seeded: SeededIds) -> None:
    app = install(ALERTCHECK_PRESSES_PER_WORKSPACE="4", ALERTCHECK_TESTS_PER_TARGET="1")
    same = add(app, seeded, *[HOST] * 5)
    others = add(app, seeded, "https://a.example.org", "https://b.example.org")

    batch = press(app, seeded)

    assert requested(app, batch) == [seeded.destination, same[0], *others]
    assert {part.reason: part.count for part in left_out(app, seeded, batch).values()} == {
        RequestResult.TARGET_LIMIT: 4
    }


def test_every_reason_is_counted_with_its_longest_wait(app: Flask, seeded: SeededIds) -> None:
    disabled, deleted, *tested = add(app, seeded, *["https://a.example.org"] * 4)
    with app.app_context():
        admin = get_account(seeded)
        set_enabled(db.session.get_one(AlertDestination, disabled), admin, False, NOW)
        delete_destination(db.session.get_one(AlertDestination, deleted), admin, NOW)
        for number, age in zip(tested, (59, 20), strict=True):
            add_delivery(db.session.get_one(AlertDestination, number), created_at=NOW - seconds(age))

    batch = press(app, seeded)

    assert requested(app, batch) == [seeded.destination]
    assert list(left_out(app, seeded, batch).values()) == [
        LeftOut(RequestResult.DISABLED, 1, 0),
        LeftOut(RequestResult.COOLING_DOWN, 2, 40),
    ]


def test_the_cooldown_counts_from_the_press_although_the_clock_was_set_back_before_it(
    app: Flask, seeded: SeededIds
) -> None:
    with app.app_context():
        pressed_at = NOW - seconds(20)
        add_delivery(get_destination(seeded), created_at=NOW + seconds(3600), updated_at=pressed_at)

    batch = press(app, seeded)

    assert list(left_out(app, seeded, batch).values()) == [LeftOut(RequestResult.COOLING_DOWN, 1, 40)]


def test_a_destination_that_another_press_takes_meanwhile_is_cooling_down(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=NOW)
    outdated = [Candidate(seeded.destination, "webhook", True, None)]
    monkeypatch.setattr("webapp.presses.batches.list_candidates", lambda _workspace_id: outdated)

    batch = press(app, seeded)

    assert list(left_out(app, seeded, batch).values()) == [LeftOut(RequestResult.COOLING_DOWN, 1, 60)]


@on_both_databases
def test_presses_at_once_test_each_destination_once(app: Flask, seeded: SeededIds) -> None:
    numbers = add(app, seeded, *[f"https://host-{number}.example.org" for number in range(12)])

    with ThreadPoolExecutor(3) as threads:
        pressed = list(threads.map(lambda _: press(app, seeded), range(3)))

    tested = [number for batch in pressed for number in requested(app, batch)]
    assert sorted(tested) == [seeded.destination, *numbers]
    accounted = [
        len(requested(app, batch)) + sum(part.count for part in left_out(app, seeded, batch).values())
        for batch in pressed
    ]
    assert accounted == [13, 13, 13]


def test_without_a_queue_one_destination_loses_its_cooldown_and_the_others_are_left_out(
    install: Callable[..., Flask], seeded: SeededIds
) -> None:
    app = install(REDIS_URL="redis://127.0.0.1:1")
    add(app, seeded, *[HOST] * 30)

    batch = press(app, seeded)

    assert requested(app, batch) == [seeded.destination]
    assert list(left_out(app, seeded, batch).values()) == [LeftOut(RequestResult.QUEUE_UNAVAILABLE, 30, 0)]
    with app.app_context():
        assert db.session.scalars(select(AlertDelivery.last_error_code)).all() == ["queue_unavailable"]


def test_a_disabled_destination_or_one_that_cools_down_costs_no_query(app: Flask, seeded: SeededIds) -> None:
    numbers = add(app, seeded, *[HOST] * 20)
    with app.app_context():
        for number in numbers:
            add_delivery(db.session.get_one(AlertDestination, number), created_at=NOW - seconds(5))
        add_delivery(get_destination(seeded), created_at=NOW - seconds(5))
    statements: list[str] = []

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
        press(app, seeded)

    assert len(statements) < 10


@on_both_databases
def test_what_an_old_press_left_out_is_forgotten(app: Flask, seeded: SeededIds) -> None:
    old = press(app, seeded, NOW - KEPT_FOR - seconds(1))
    recent = press(app, seeded, NOW - seconds(600))

    press(app, seeded, NOW + seconds(300))

    with app.app_context():
        assert db.session.get(Batch, old) is None
        assert db.session.get(Batch, recent) is not None
        assert db.session.scalar(select(func.count()).select_from(Batch)) == 2


def test_the_tests_of_a_long_press_are_dated_one_by_one(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(app, seeded, "https://a.example.org", "https://b.example.org")
    ticks = iter(range(100, 1000, 7))
    monkeypatch.setattr("webapp.presses.batches.monotonic", lambda: next(ticks))

    batch = press(app, seeded)

    with app.app_context():
        times = db.session.scalars(select(AlertDelivery.created_at).order_by(AlertDelivery.id)).all()
        assert times == [NOW + seconds(7), NOW + seconds(14), NOW + seconds(21)]
        assert db.session.get_one(Batch, batch).created_at == NOW + seconds(28)
