"""The driver's own rows: the same values as SQLAlchemy's, and equal if the database has the same."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases
from webapp.database.driver_rows import DriverRow, RowReader
from webapp.deliveries.delivery_rows import DELIVERY_COLUMNS
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, DrillNumber, Receipt

pytestmark = pytest.mark.usefixtures("context")

_QUERY = (
    select(*DELIVERY_COLUMNS, AlertDestination.name, AlertDestination.is_enabled)
    .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
    .order_by(AlertDelivery.id)
)


def _fetch() -> list[DriverRow]:
    with db.session.connection().execute(_QUERY) as result:
        return list(result.cursor.fetchall())


@on_both_databases
def test_a_row_is_read_as_sqlalchemy_reads_it(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    seen = add_delivery(
        destination, status=DeliveryStatus.SENT, sent_at=NOW, drill=DrillNumber.FIRST, answer_seconds=0.25
    )
    seen.receipt, seen.receipt_at, seen.receipt_by = Receipt.SEEN, NOW + timedelta(seconds=5), "Ann"
    add_real_alert(destination)
    db.session.commit()

    read = [tuple(RowReader(_QUERY).read(row, db.engine.dialect)) for row in _fetch()]

    assert len(read) > 1
    assert read == [tuple(row) for row in db.session.execute(_QUERY)]
    assert [list(map(type, row)) for row in read] == [list(map(type, row)) for row in db.session.execute(_QUERY)]


@on_both_databases
def test_two_reads_of_the_same_are_equal_and_a_change_differs(seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded))
    first, second = _fetch(), _fetch()
    get_destination(seeded).name = "Another name"
    db.session.flush()

    assert first == second
    assert _fetch() != second
