"""Column types shared by the tables."""

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, String, TypeDecorator

from webapp.text.names import clean_name


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


def read_stored_time(text: str | None) -> datetime | None:
    """Return an instant that a database has written as text."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


UNNAMED = "(no visible name)"

# Names are short, and the same ones are read again and again: those of a workspace of 10,000 destinations, too.
_clean_stored_name = lru_cache(maxsize=16_384)(clean_name)


class Name(TypeDecorator[str]):
    """A name. It is cleaned when it is written and when it is read, because another program may write rows too.

    A stored name without a visible character is read as `UNNAMED`, so that its link and its button have a text.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else clean_name(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return read_stored_name(value)


def read_stored_name(value: str | None) -> str | None:
    """Return a stored name as it is shown."""
    return None if value is None else _clean_stored_name(value) or (UNNAMED if value else "")


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
