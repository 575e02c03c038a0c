"""Requeuing many rows at once: a worker that has fallen behind is not slowed down by its own recovery."""

import pytest
from flask import Flask
from sqlalchemy import update

from tests.deliveries.recovery.recovery_passes import recover_at
from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    begin_claim_record,
    get_destination,
    on_both_databases,
    seconds,
)
from tests.statements import collecting_statements
from webapp.deliveries.recovery import worker_recovery
from webapp.deliveries.recovery.overdue_and_lost import settle_expiries
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture(autouse=True)
def complete_record(context: None) -> None:
    begin_claim_record()


def _add_waiting(seeded: SeededIds, count: int) -> list[int]:
    return [add_delivery(get_destination(seeded)).id for _ in range(count)]


def _add_due(seeded: SeededIds, count: int) -> list[int]:
    facts = {"status": DeliveryStatus.DEFERRED, "send_after": NOW + seconds(5), "attempt_count": 1}
    return [add_delivery(get_destination(seeded), **facts).id for _ in range(count)]


def test_rows_are_requeued_and_resumed_in_two_statements_however_many_there_are(
    app: Flask, seeded: SeededIds, app_settings: AppSettings
) -> None:
    ids = _add_waiting(seeded, 20) + _add_due(seeded, 20)

    with collecting_statements(app) as statements:
        assert sorted(recover_at(app_settings, NOW + seconds(10))) == ids

    assert len([each for each in statements if each.startswith("UPDATE alert_deliveries")]) == 2


def test_a_row_that_was_changed_after_a_pass_has_read_it_is_not_requeued(
    seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, changed, last = _add_waiting(seeded, 3)

    def change_and_settle(due: object) -> object:
        requeue = update(AlertDelivery).where(AlertDelivery.id == changed).values(updated_at=NOW + seconds(1))
        db.session.execute(requeue.execution_options(synchronize_session=False))  # as another worker's recovery does
        return settle_expiries(due)  # type: ignore[arg-type]

    monkeypatch.setattr(worker_recovery, "settle_expiries", change_and_settle)

    assert sorted(recover_at(app_settings, NOW + seconds(10))) == [first, last]
