"""Connections to PostgreSQL, made as the application makes them."""

from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from webapp.database.engine import engine_options, engine_url
from webapp.database.outages import Reason, find_reason


def connect_as_application(url: str, ca_file: str | None = None) -> Engine:
    """Return an engine that opens one connection."""
    return create_engine(engine_url(url), **engine_options(url, ca_file) | {"pool_size": 1})


def fail(url: str, statement: str = "SELECT 1", ca_file: str | None = None) -> DBAPIError:
    """Return the error of a new connection, or of a statement on it."""
    with pytest.raises(DBAPIError) as caught, connect_as_application(url, ca_file).connect() as connection:
        connection.execute(text(statement))
    return caught.value


def reason_of(url: str, statement: str = "SELECT 1", ca_file: str | None = None) -> Reason | None:
    return find_reason(fail(url, statement, ca_file))


def succeed(url: str, ca_file: str | None) -> bool:
    """Connect, and return whether the connection is encrypted."""
    with connect_as_application(url, ca_file).connect() as connection:
        connection.execute(text("SELECT 1"))
        driver: Any = connection.connection.dbapi_connection
        return bool(driver.pgconn.ssl_in_use)
