"""Claims and records of a group: one winner for each row, and no row that holds up or loses another one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from tests.deliveries.attempts.group_rows import Claim, claim_rows, end_attempt, name_claims, request_group
from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import SeededIds, on_both_databases, seconds
from webapp.deliveries import open_groups, send
from webapp.deliveries.attempts import group_claiming, group_recording, sending
from webapp.deliveries.attempts.claiming import Attempt, claim
from webapp.deliveries.attempts.group_commit import ALONE
from webapp.deliveries.attempts.group_recording import RowsChanged, record_group
from webapp.deliveries.attempts.recording import record
from webapp.deliveries.completion_events import CompletionEvent, delivery_completed
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, database_clock
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture
def ids(seeded: SeededIds, app_settings: AppSettings) -> list[int]:
    return request_group(seeded, app_settings)


@pytest.fixture
def completed() -> Iterator[list[int]]:
    """The deliveries whose completion was published."""
    published: list[int] = []

    def note(event: CompletionEvent) -> None:
        published.append(event.delivery)

    with delivery_completed.connected_to(note):
        yield published


def _get(delivery_id: int) -> AlertDelivery:
    return db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)


def _outcomes(ids: list[int]) -> list[tuple[str, str | None, int]]:
    return [(row.status.value, row.last_error_code, row.attempt_count) for row in map(_get, ids)]


def _update(delivery_id: int, **values: object) -> None:
    db.session.execute(update(AlertDelivery).where(AlertDelivery.id == delivery_id).values(values))
    db.session.commit()


def _change_destination(delivery_id: int, **values: object) -> None:
    destination_id = _get(delivery_id).alert_destination_id
    db.session.execute(update(AlertDestination).where(AlertDestination.id == destination_id).values(values))
    db.session.commit()


def test_a_group_is_claimed_and_recorded_as_its_rows_would_be_alone(
    ids: list[int], app_settings: AppSettings, completed: list[int]
) -> None:
    attempts = claim_rows(ids[1:], app_settings)
    alone = claim(ids[0], app_settings, database_clock.now())
    assert name_claims(attempts) == ids[1:]

    assert record_group([end_attempt(attempt) for attempt in attempts], database_clock.now()) == [True] * 3
    assert alone is not None
    record(end_attempt(alone), database_clock.now())

    assert _outcomes(ids) == [("sent", None, 1)] * 4
    assert completed == [*ids[1:], ids[0]]
    rows = [_get(delivery_id) for delivery_id in ids]
    assert {(row.attempt_started_at, row.answer_status, row.answer_seconds) for row in rows} == {(None, 200, 0.1)}
    assert [[past["number"] for past in row.attempts or ()] for row in rows] == [[1]] * 4


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda spoilt: _change_destination(spoilt, config="damaged"), ("failed", "config_unreadable", 0)),
        (lambda spoilt: _change_destination(spoilt, is_enabled=False), ("canceled", "destination_disabled", 0)),
        (lambda spoilt: _change_destination(spoilt, type="pigeon"), ("failed", "config_incomplete", 0)),
        (lambda spoilt: _update(spoilt, settings_version=77), ("canceled", "destination_changed", 0)),
        (lambda spoilt: _update(spoilt, payload={"unexpected": 1}), ("failed", "internal_error", 0)),
        (lambda spoilt: _update(spoilt, created_at=datetime.now(UTC) - seconds(121)), ("queued", None, 0)),
    ],
    ids=["unreadable settings", "disabled", "unknown channel", "changed", "unreadable row", "too old"],
)
def test_a_row_that_cannot_be_sent_is_left_to_the_single_claim_and_holds_up_no_other(
    ids: list[int], app_settings: AppSettings, spoil: Callable[[int], None], outcome: tuple[str, str | None, int]
) -> None:
    spoil(ids[1])

    attempts = claim_rows(ids, app_settings)
    assert name_claims(attempts) == [ids[0], ALONE, *ids[2:]]
    assert _outcomes(ids[1:2]) == [("queued", None, 0)]

    send(ids[1], app_settings)
    assert _outcomes(ids[1:2]) == [outcome]


@pytest.mark.parametrize(
    "change",
    [
        lambda changed: _change_destination(changed, is_enabled=False),
        lambda changed: _change_destination(changed, settings_version=77),
        lambda changed: _change_destination(changed, deleted_at=datetime.now(UTC)),
    ],
    ids=["disabled", "edited", "deleted"],
)
def test_the_claim_itself_checks_each_row_again(
    ids: list[int],
    app_settings: AppSettings,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[int], None],
) -> None:
    prepare_all = group_claiming._prepare_all

    def prepare_and_change(*facts: object) -> object:
        prepared = prepare_all(*facts)  # type: ignore[arg-type]
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_in_context, app, lambda: change(ids[2])).result()
        return prepared

    monkeypatch.setattr(group_claiming, "_prepare_all", prepare_and_change)

    attempts = claim_rows(ids, app_settings)

    assert name_claims(attempts) == [*ids[:2], ALONE, ids[3]]


def _in_context(app: Flask, act: Callable[[], None]) -> None:
    with app.app_context():
        act()


def test_a_delivery_that_is_twice_in_a_group_is_given_to_one_thread(ids: list[int], app_settings: AppSettings) -> None:
    attempts = claim_rows([ids[0], ids[0], ids[1]], app_settings)

    assert name_claims(attempts) == [ids[0], ALONE, ids[1]]


def test_a_row_that_another_worker_has_claimed_is_not_looked_at_again(
    ids: list[int], app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = open_groups(app_settings)
    claim_rows(ids[1:2], app_settings)

    claims = groups.claims._work(ids[1:3])

    assert name_claims(claims) == [None, ids[2]]
    monkeypatch.setattr(groups.claims, "join", lambda _delivery_id, _alone: claims[0])
    send(ids[1], app_settings, groups)
    assert _outcomes(ids[1:2]) == [("queued", None, 1)]


def test_overlapping_groups_of_two_workers_have_one_winner_for_each_row(
    app: Flask, ids: list[int], app_settings: AppSettings
) -> None:
    start = Barrier(2)

    def work(own: list[int]) -> list[int]:
        with app.app_context():
            start.wait()
            together = _claim_or_nothing(own, app_settings)
            alone = [claim(one, app_settings, database_clock.now()) for one in own if one not in together]
            return [*together, *(attempt.delivery_id for attempt in alone if attempt)]

    with ThreadPoolExecutor(2) as pool:
        won = [pool.submit(work, own) for own in (ids[:3], [*reversed(ids[1:])])]

    assert sorted(won[0].result() + won[1].result()) == ids
    assert [row.attempt_count for row in map(_get, ids)] == [1] * 4


def _claim_or_nothing(own: list[int], app_settings: AppSettings) -> list[int]:
    claimed: Sequence[Claim] = sending._try_together(lambda: claim_rows(own, app_settings), own)
    return [attempt.delivery_id for attempt in claimed if isinstance(attempt, Attempt)]


def test_a_worker_that_dies_between_the_claim_of_a_group_and_its_sends_loses_each_visibly(
    ids: list[int], app_settings: AppSettings
) -> None:
    assert name_claims(claim_rows(ids, app_settings)) == ids

    recover_at(app_settings, datetime.now(UTC), datetime.now(UTC) + seconds(20))
    attempts = claim_rows(ids, app_settings)

    assert attempts == [None] * 4
    assert _outcomes(ids) == [("failed", "worker_lost", 1)] * 4


def test_a_late_result_in_a_group_changes_nothing_and_loses_no_other(
    ids: list[int], app_settings: AppSettings, completed: list[int]
) -> None:
    attempts = claim_rows(ids, app_settings)
    _update(ids[2], status=DeliveryStatus.FAILED, attempt_started_at=None, last_error_code="worker_lost")

    recorded = record_group([end_attempt(attempt) for attempt in attempts], database_clock.now())

    assert recorded == [True, True, ALONE, True]
    assert _outcomes(ids)[2] == ("failed", "worker_lost", 1)
    assert completed == [ids[0], ids[1], ids[3]]


def test_a_result_of_an_earlier_attempt_is_not_recorded_over_a_later_one(
    ids: list[int], app_settings: AppSettings
) -> None:
    first, second = claim_rows(ids[:2], app_settings)
    assert isinstance(first, Attempt)
    earlier = [replace(first, number=0), replace(first, started_at=first.started_at - seconds(1))]

    recorded = record_group([*map(end_attempt, earlier), end_attempt(second)], database_clock.now())

    assert recorded == [ALONE, ALONE, True]
    assert _outcomes(ids[:1]) == [("queued", None, 1)]


def test_one_bad_row_fails_its_group_and_is_then_recorded_by_itself(
    ids: list[int], app_settings: AppSettings, completed: list[int]
) -> None:
    endings = [end_attempt(attempt) for attempt in claim_rows(ids, app_settings)]
    endings[1].columns["suggestion"] = object()  # cannot be written as JSON
    groups = open_groups(app_settings)

    assert list(groups.records._work(endings)) == [ALONE] * 4
    assert completed == []
    assert _outcomes(ids) == [("queued", None, 1)] * 4

    assert record_group([endings[0], *endings[2:]], database_clock.now()) == [True] * 3


def test_a_group_whose_commit_fails_is_told_to_nobody_and_recorded_one_by_one(
    ids: list[int], app_settings: AppSettings, completed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    endings = [end_attempt(attempt) for attempt in claim_rows(ids, app_settings)]
    groups = open_groups(app_settings)

    def fail() -> None:
        raise OperationalError("COMMIT", {}, Exception("unavailable"))

    with monkeypatch.context() as patch:
        patch.setattr(db.session, "commit", fail)
        assert list(groups.records._work(endings)) == [ALONE] * 4
    assert completed == []
    assert _outcomes(ids) == [("queued", None, 1)] * 4

    assert [record_group([ending], database_clock.now()) for ending in endings] == [[True]] * 4
    assert completed == ids


def test_a_row_that_changes_after_it_was_read_undoes_the_group(
    ids: list[int], app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    endings = [end_attempt(attempt) for attempt in claim_rows(ids, app_settings)]
    endings[3] = end_attempt(replace(endings[3].attempt, number=2))
    monkeypatch.setattr(group_recording, "_is_ours", lambda *_facts: True)  # as if it was changed just now

    with pytest.raises(RowsChanged):
        record_group(endings, database_clock.now())
    db.session.rollback()

    assert _outcomes(ids) == [("queued", None, 1)] * 4
