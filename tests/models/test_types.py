"""Column types: a stored instant is read back as the same instant."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import literal, select, text
from sqlalchemy.exc import StatementError

from tests.factories import SeededIds, add_delivery, get_destination, on_both_databases
from webapp.extensions import Base, db
from webapp.models import AlertDelivery, DeliveryStatus, Tenant
from webapp.models.types import UNNAMED, Name, UtcDateTime

NOON = datetime(2026, 5, 4, 12, 0, 0, 1, tzinfo=UTC)
KATHMANDU = timezone(timedelta(hours=5, minutes=45))


def store(seeded: SeededIds, moment: datetime | None) -> datetime | None:
    """Write a time to a row, and read it back from the database."""
    delivery = add_delivery(get_destination(seeded), sent_at=moment)
    db.session.refresh(delivery)
    return delivery.sent_at


@on_both_databases
@pytest.mark.parametrize("moment", [NOON, NOON.astimezone(KATHMANDU), NOON.replace(year=1), None])
def test_an_instant_is_read_back_to_the_microsecond(context: None, seeded: SeededIds, moment: datetime | None) -> None:
    assert store(seeded, moment) == moment


@on_both_databases
def test_an_instant_in_any_time_zone_is_read_back_in_utc(context: None, seeded: SeededIds) -> None:
    stored = store(seeded, NOON.astimezone(KATHMANDU))

    assert stored is not None
    assert stored.tzinfo is UTC


@on_both_databases
def test_a_time_without_a_time_zone_is_refused(context: None, seeded: SeededIds) -> None:
    with pytest.raises(StatementError, match="is not an instant"):
        store(seeded, NOON.replace(tzinfo=None))


@on_both_databases
@pytest.mark.parametrize(("earlier", "is_found"), [(timedelta(microseconds=1), True), (timedelta(0), False)])
def test_times_in_different_time_zones_are_compared_as_instants(
    context: None, seeded: SeededIds, earlier: timedelta, is_found: bool
) -> None:
    store(seeded, NOON - earlier)

    found = db.session.scalars(select(AlertDelivery).where(AlertDelivery.sent_at < NOON.astimezone(KATHMANDU)))

    assert bool(found.all()) is is_found


@on_both_databases
def test_an_instant_outside_a_table_is_read_back_too(context: None) -> None:
    assert db.session.scalar(select(literal(NOON, UtcDateTime))) == NOON


@on_both_databases
def test_an_id_has_64_bits(context: None, seeded: SeededIds) -> None:
    db.session.add(Tenant(id=2**63 - 1, workspace_id=seeded.harbor, name="The last one", created_at=NOON))
    db.session.flush()

    assert db.session.get_one(Tenant, 2**63 - 1).name == "The last one"


@on_both_databases
def test_a_member_of_a_closed_set_is_stored_by_its_value(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.CANCELED)

    assert db.session.scalar(text("SELECT status FROM alert_deliveries")) == "canceled"


FORGED = "Ops\u202e\nNext step:\x00 call\u200b"


@on_both_databases
def test_a_name_is_cleaned_when_it_is_written(context: None, seeded: SeededIds) -> None:
    get_destination(seeded).name = FORGED.replace("\x00", "")
    db.session.commit()

    assert db.session.scalar(text("SELECT name FROM alert_destinations WHERE id = 1")) == "Ops Next step: call"


@on_both_databases
@pytest.mark.parametrize(
    ("stored", "name"), [(FORGED.replace("\x00", "\x1b"), "Ops Next step: call"), ("\u200b\u3164", UNNAMED)]
)
def test_a_name_that_another_program_wrote_is_cleaned_when_it_is_read(
    context: None, seeded: SeededIds, stored: str, name: str
) -> None:
    db.session.execute(text("UPDATE alert_destinations SET name = :name"), {"name": stored})
    db.session.commit()

    assert get_destination(seeded).name == name


NAMED = [
    (table.name, column.name) for table in Base.metadata.sorted_tables for column in table.c if "name" in column.name
]


@pytest.mark.parametrize(("table", "column"), NAMED)
def test_every_column_for_a_name_cleans_it(table: str, column: str) -> None:
    assert isinstance(Base.metadata.tables[table].c[column].type, Name)
