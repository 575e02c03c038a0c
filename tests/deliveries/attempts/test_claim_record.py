"""The record of claims: what a database that came out of a backup does not know."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from redis import Redis

from benchmarks.installation.servers import QueueServer, start_queue_server
from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import (
    NOW,
    SECRET_PATH,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from tests.queue_keys import key_of
from webapp import queue
from webapp.app_state import app_state
from webapp.deliveries import (
    end_if_overdue,
    request_test,
    send,
)
from webapp.deliveries.attempts import claim_record
from webapp.deliveries.attempts.claim_record import (
    CLAIMS,
    discard_if_incomplete,
    keep_record,
    keep_record_sometimes,
    list_possibly_claimed,
    note_claim,
)
from webapp.extensions import db
from webapp.failures import describe
from webapp.failures.code import Code
from webapp.models import AlertDelivery, DeliveryStatus, database_clock
from webapp.settings import AppSettings

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def gone(app: Flask) -> Iterator[None]:
    """The queue server cannot be reached, until the test puts the client back."""
    client = app_state(app).redis
    app_state(app).redis = queue.connect("redis://127.0.0.1:1")
    yield
    app_state(app).redis = client


def _row(seeded: SeededIds, **facts: Any) -> AlertDelivery:
    return add_delivery(get_destination(seeded), **facts)


def _is_possibly_claimed(row: AlertDelivery) -> bool:
    return list_possibly_claimed([row]) == {row.id}


def _note_next_claim(row: AlertDelivery) -> bool:
    return note_claim(row.id, row.attempt_count + 1, row.created_at, NOW + seconds(1))


def test_without_a_record_any_row_may_have_been_claimed(seeded: SeededIds) -> None:
    assert _is_possibly_claimed(_row(seeded))


@pytest.mark.parametrize(("pressed", "is_possible"), [(-0.001, True), (0, False)])
def test_a_row_without_a_claim_was_not_claimed_if_the_record_is_as_old_as_the_row(
    seeded: SeededIds, pressed: float, is_possible: bool
) -> None:
    keep_record(NOW)

    assert _is_possibly_claimed(_row(seeded, created_at=NOW + seconds(pressed))) is is_possible


def test_a_record_that_has_begun_does_not_begin_again(seeded: SeededIds) -> None:
    keep_record(NOW)
    keep_record(NOW + seconds(60))

    assert not _is_possibly_claimed(_row(seeded))


def test_a_row_whose_claim_is_in_the_record_was_claimed(seeded: SeededIds) -> None:
    keep_record(NOW)
    row, other = _row(seeded), _row(seeded)

    assert _note_next_claim(row)

    assert list_possibly_claimed([other, row]) == {row.id}


def test_a_claim_of_an_earlier_attempt_does_not_count(seeded: SeededIds) -> None:
    keep_record(NOW)
    row = _row(seeded)
    _note_next_claim(row)
    row.attempt_count = 1

    assert not _is_possibly_claimed(row)


def test_a_claim_of_the_same_id_in_a_database_made_anew_does_not_count(seeded: SeededIds) -> None:
    keep_record(NOW)
    row = _row(seeded)
    note_claim(row.id, 1, NOW - seconds(100), NOW)

    assert not _is_possibly_claimed(row)


def test_a_claim_that_is_recorded_a_second_time_is_recognized(seeded: SeededIds) -> None:
    row = _row(seeded)

    assert [_note_next_claim(row), _note_next_claim(row)] == [True, False]


def test_a_record_that_lost_its_data_is_incomplete(seeded: SeededIds, queue_server: QueueServer) -> None:
    keep_record(NOW)
    Redis.from_url(queue_server.url).flushall()
    keep_record(NOW + seconds(60))

    assert _is_possibly_claimed(_row(seeded))
    assert not _is_possibly_claimed(_row(seeded, created_at=NOW + seconds(60)))


def test_a_record_of_an_earlier_run_of_the_server_is_incomplete(seeded: SeededIds, queue_server: QueueServer) -> None:
    """A server that restarts may load data from before the last claims."""
    Redis.from_url(queue_server.url).zadd(key_of(CLAIMS), {f"complete since the start of {'0' * 40}": -1})

    assert _is_possibly_claimed(_row(seeded))

    keep_record(NOW)
    assert _is_possibly_claimed(_row(seeded, created_at=NOW - seconds(1)))
    assert not _is_possibly_claimed(_row(seeded))


@pytest.mark.usefixtures("gone")
def test_without_a_queue_server_any_row_may_have_been_claimed(seeded: SeededIds) -> None:
    assert _is_possibly_claimed(_row(seeded))


def test_a_claim_that_cannot_be_recorded_makes_the_record_incomplete(app: Flask, seeded: SeededIds) -> None:
    keep_record(NOW)
    client = app_state().redis
    app_state().redis = queue.connect("redis://127.0.0.1:1")
    assert _note_next_claim(_row(seeded))
    discard_if_incomplete()
    app_state().redis = client
    assert not _is_possibly_claimed(_row(seeded))

    discard_if_incomplete()

    assert _is_possibly_claimed(_row(seeded))
    keep_record(NOW + seconds(60))
    discard_if_incomplete()
    assert not _is_possibly_claimed(_row(seeded, created_at=NOW + seconds(60)))


def test_beyond_its_size_the_record_is_complete_since_the_newest_claim_it_dropped(
    seeded: SeededIds, queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_record, "MAX_CLAIMS", 3)
    keep_record(NOW)
    for number in random.sample(range(1, 6), 5):
        note_claim(number, 1, NOW, NOW + seconds(number))

    keep_record(NOW + seconds(60))

    assert Redis.from_url(queue_server.url).zcount(key_of(CLAIMS), 0, "inf") == 3
    assert _is_possibly_claimed(_row(seeded, created_at=NOW + seconds(1.9)))
    assert not _is_possibly_claimed(_row(seeded, created_at=NOW + seconds(2)))


def test_a_web_process_begins_the_record_at_most_every_10_seconds(
    seeded: SeededIds, queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    keep_record_sometimes(NOW)
    Redis.from_url(queue_server.url).flushall()

    monkeypatch.setattr("time.monotonic", lambda: 109.9)
    keep_record_sometimes(NOW)
    assert _is_possibly_claimed(_row(seeded))
    monkeypatch.setattr("time.monotonic", lambda: 110.0)
    keep_record_sometimes(NOW)

    assert not _is_possibly_claimed(_row(seeded))


# What a person reads


@on_both_databases
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, "not_started"),
        (
            {
                "status": DeliveryStatus.DEFERRED,
                "send_after": NOW + seconds(5),
                "attempt_count": 1,
                "last_error_code": "remote_unavailable",
            },
            "remote_unavailable",
        ),
    ],
    ids=["waiting", "deferred"],
)
@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_row_that_was_sent_before_a_restore_ends_as_possibly_arrived(
    seeded: SeededIds, app_settings: AppSettings, facts: dict[str, Any], code: str, is_claimed: bool
) -> None:
    keep_record(NOW)
    waiting = _row(seeded, **facts)
    if is_claimed:
        _note_next_claim(waiting)

    recover_at(app_settings, NOW + seconds(120))

    db.session.refresh(waiting)
    assert (waiting.status, waiting.last_error_code) == (DeliveryStatus.FAILED, "worker_lost" if is_claimed else code)


def test_a_page_that_ends_such_a_row_says_the_same(seeded: SeededIds) -> None:
    waiting = _row(seeded)

    assert end_if_overdue(waiting, NOW + seconds(121))

    db.session.refresh(waiting)
    assert (waiting.last_error_code, waiting.last_error_message) == ("worker_lost", describe(Code.WORKER_LOST))


def test_a_message_whose_claim_was_recorded_before_is_not_sent_again(
    seeded: SeededIds, app_settings: AppSettings, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    delivery_id = request_test(get_destination(seeded), get_account(seeded), database_clock.now())
    _note_next_claim(db.session.get_one(AlertDelivery, delivery_id))

    send(delivery_id, app_settings)

    delivery = db.session.get_one(AlertDelivery, delivery_id)
    assert (delivery.status, delivery.last_error_code) == (DeliveryStatus.FAILED, "worker_lost")
    assert httpserver.log == []


def test_a_send_is_recorded_before_its_message_arrives(
    seeded: SeededIds, app_settings: AppSettings, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    keep_record(database_clock.now())
    delivery_id = request_test(get_destination(seeded), get_account(seeded), database_clock.now())

    send(delivery_id, app_settings)

    restored = db.session.get_one(AlertDelivery, delivery_id)
    db.session.expunge(restored)
    restored.attempt_count = 0
    assert (_is_possibly_claimed(restored), len(httpserver.log)) == (True, 1)


@pytest.mark.usefixtures("gone")
def test_a_send_does_not_depend_on_the_record(
    seeded: SeededIds, app_settings: AppSettings, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    delivery_id = request_test(get_destination(seeded), get_account(seeded), database_clock.now())

    send(delivery_id, app_settings)

    assert db.session.get_one(AlertDelivery, delivery_id).status is DeliveryStatus.SENT


def test_a_server_that_restarts_without_its_newest_data_makes_no_row_unsent(
    app: Flask, seeded: SeededIds, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home: Path = tmp_path_factory.mktemp("q")
    server = start_queue_server(home)
    app_state().redis = queue.connect(server.url)
    keep_record(NOW)
    row: AlertDelivery = _row(seeded)
    saved = app_state().redis.dump(key_of(CLAIMS)) or b""
    _note_next_claim(row)
    server.stop()
    server = start_queue_server(home)
    app_state().redis = queue.connect(server.url)
    app_state().redis.restore(key_of(CLAIMS), 0, saved)

    keep_record(NOW + seconds(60))

    assert _is_possibly_claimed(row)
    server.stop()
