"""On PostgreSQL, neither a group nor recovery waits for a locked row. SQLite has no locks of rows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text, update

from tests.deliveries.attempts.group_rows import claim_rows, end_attempt, name_claims, request_group
from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import SeededIds, seconds
from webapp.deliveries.attempts.group_commit import ALONE
from webapp.deliveries.attempts.group_recording import record_group
from webapp.extensions import db
from webapp.models import AlertDelivery, database_clock
from webapp.settings import AppSettings

pytestmark = [
    pytest.mark.parametrize("database", ["postgres"], indirect=True),
    pytest.mark.usefixtures("context"),
]


@pytest.fixture
def ids(seeded: SeededIds, app_settings: AppSettings) -> list[int]:
    return request_group(seeded, app_settings)


@contextmanager
def _locked_by_another(delivery_id: int) -> Iterator[None]:
    """Lock a row in another transaction until the block ends."""
    with db.engine.connect() as other:
        locking = update(AlertDelivery).where(AlertDelivery.id == delivery_id).values(id=AlertDelivery.id)
        other.execute(locking)
        yield
        other.rollback()


def test_a_locked_row_is_left_out_of_a_claim_and_nobody_waits_for_it(ids: list[int], app_settings: AppSettings) -> None:
    with _locked_by_another(ids[1]):
        attempts = claim_rows(ids, app_settings)

    assert name_claims(attempts) == [ids[0], ALONE, *ids[2:]]
    assert name_claims(claim_rows(ids[1:2], app_settings)) == ids[1:2]


def test_a_locked_row_is_left_out_of_a_record_and_nobody_waits_for_it(
    ids: list[int], app_settings: AppSettings
) -> None:
    endings = [end_attempt(attempt) for attempt in claim_rows(ids, app_settings)]

    with _locked_by_another(ids[1]):
        assert record_group(endings, database_clock.now()) == [True, ALONE, True, True]

    assert record_group(endings[1:2], database_clock.now()) == [True]


def test_a_row_that_a_worker_is_claiming_is_not_requeued_and_recovery_does_not_wait_for_it(
    ids: list[int], app_settings: AppSettings
) -> None:
    db.session.execute(text("SET lock_timeout = '2s'"))  # or a recovery that waits would wait for ever
    with _locked_by_another(ids[1]):
        assert sorted(recover_at(app_settings, database_clock.now() + seconds(10))) == [ids[0], *ids[2:]]
