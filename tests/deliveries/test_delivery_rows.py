"""Deliveries as plain rows: they can be read whatever another program wrote into a real alert's payload."""

import math
from typing import Any

import pytest
from sqlalchemy import select

from tests.factories import SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases
from webapp.deliveries.delivery_rows import DELIVERY_COLUMNS, DeliveryRow, read_delivery
from webapp.extensions import db
from webapp.models import AlertDelivery

pytestmark = pytest.mark.usefixtures("context")


def _read(delivery_id: int) -> DeliveryRow | None:
    return read_delivery(db.session.execute(select(*DELIVERY_COLUMNS).where(AlertDelivery.id == delivery_id)).one())


@on_both_databases
def test_a_test_send_has_its_reference(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), payload={"reference": "K7QM4T"})

    row = _read(delivery.id)

    assert row is not None
    assert row.reference == "K7QM4T"


@pytest.mark.parametrize(
    ("database", "payload"),
    [
        ("postgres", {"log": "\0"}),
        ("postgres", {"log": "\ud800"}),
        ("sqlite", {"log": "\0"}),
        ("sqlite", {"value": math.nan}),
    ],
    indirect=["database"],
)
def test_a_real_alert_is_read_whose_payload_the_database_itself_cannot_read(
    seeded: SeededIds, payload: dict[str, Any]
) -> None:
    delivery = add_real_alert(get_destination(seeded), payload=payload)

    row = _read(delivery.id)

    assert row is not None
    assert (row.id, row.reference) == (delivery.id, None)
