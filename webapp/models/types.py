"""Column types shared by the tables."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Accepts aware datetimes and returns them in UTC, also on SQLite, which stores no time zone.

    Raises `ValueError` for a datetime without a time zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone is not an instant")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# A row id of 64 bits. On SQLite, only an INTEGER primary key increments by itself, and it has 64 bits too.
Id = BigInteger().with_variant(Integer(), "sqlite")


def closed_set(kind: type[StrEnum]) -> Enum:
    """Return the column type of a closed set, stored as text. The table's check constraint enforces the values."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )
