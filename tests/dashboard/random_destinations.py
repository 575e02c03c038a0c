"""Random destinations of every kind, whose tests have ages at the limits and a moment beside them."""

import random
from datetime import datetime, timedelta

from tests.factories import NOW, SeededIds, add_delivery
from webapp.channels import CHANNELS
from webapp.deliveries.drill_confirmation import CONFIRM_WITHIN
from webapp.deliveries.staleness import STALE_AFTER
from webapp.extensions import db
from webapp.models import AlertDestination, DeliveryStatus, DrillNumber, PlannedTest, Receipt, ReceiptSource

_NAMES = ("Straße", "strasse", "Über", "apple", "b\u200be")
_AGES = (timedelta(minutes=1), timedelta(minutes=2), timedelta(days=3), CONFIRM_WITHIN, STALE_AFTER)
_MOMENT = timedelta(microseconds=1)


def add_random_destinations(seeded: SeededIds, chance: random.Random, count: int) -> None:
    """Add destinations to the harbor, with none to three tests each, and commit."""
    for number in range(count):
        destination = AlertDestination(
            workspace_id=seeded.harbor,
            name=f"{chance.choice(_NAMES)} {number}",
            type=chance.choice(list(CHANNELS)),
            config="",
            tags=chance.choice(["", "night", "day,night"]),
            is_enabled=chance.random() < 0.8,
            needs_confirmation=chance.random() < 0.5,
            settings_version=chance.choice([1, 2]),
            created_at=NOW - timedelta(days=90),
            updated_at=NOW - chance.choice(_AGES),
        )
        db.session.add(destination)
        db.session.flush()
        for _ in range(chance.randrange(4)):
            _add_random_test(destination, chance)
        if chance.random() < 0.1:
            _plan(seeded, destination)
    db.session.commit()


def _add_random_test(destination: AlertDestination, chance: random.Random) -> None:
    at = NOW - chance.choice(_AGES) + chance.choice([-_MOMENT, timedelta(), _MOMENT])
    status = chance.choice([*DeliveryStatus, DeliveryStatus.SENT])
    receipt = chance.choice([None, None, *Receipt])
    add_delivery(
        destination,
        created_at=at,
        updated_at=at,
        **_facts_of(status, at),
        receipt=receipt,
        receipt_at=at if receipt else None,
        receipt_source=ReceiptSource.CUSTOMER if receipt else None,
        receipt_by='Ann "the customer", [1]\u200b' if receipt else None,
        settings_version=chance.choice([None, 1, 2]),
        drill=chance.choice([None, DrillNumber.FIRST]),
    )


def _facts_of(status: DeliveryStatus, at: datetime) -> dict[str, object]:
    """Return what a row with this status must have besides."""
    return {
        "status": status,
        "sent_at": at if status is DeliveryStatus.SENT else None,
        "send_after": at if status is DeliveryStatus.DEFERRED else None,
        "last_error_code": "gone" if status is DeliveryStatus.FAILED else None,
    }


def _plan(seeded: SeededIds, destination: AlertDestination) -> None:
    planned = {"workspace_id": seeded.harbor, "alert_destination_id": destination.id, "planned_by_id": seeded.admin}
    db.session.add(PlannedTest(due_at=NOW, created_at=NOW, **planned))
