"""Reads and fills an installation's database at any version of the schema."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, Inspector, MetaData, Table, inspect, text

from benchmarks.installation.processes import ROOT
from webapp.extensions import db

Row = dict[str, Any]

EARLY = datetime(2019, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
LATE = datetime(2026, 5, 4, 9, 30, 0, 1, tzinfo=UTC)
LARGEST_ID = 2**63 - 2
# The newest revision.
HEAD = max(file.name[:4] for file in (ROOT / "migrations" / "versions").glob("0*.py"))

# The parts of a table, as the methods of SQLAlchemy's inspector name them.
KINDS = ("columns", "pk_constraint", "foreign_keys", "unique_constraints", "check_constraints", "indexes")

# By the kind of database, the version and the name.
_tables: dict[tuple[str, object, str], Table] = {}


def read_schema() -> dict[str, Row]:
    """Describe every table as the database reports it, independent of the order of its parts."""
    inspector = inspect(db.engine)
    # Each kind of part is read for all tables at once: on PostgreSQL in a tenth of the time.
    parts = {kind: getattr(inspector, f"get_multi_{kind}")() for kind in KINDS}
    return {
        table: _describe(table, {kind: found[None, table] for kind, found in parts.items()})
        for table in _list_tables(inspector)
    }


def _describe(table: str, parts: Row) -> Row:
    return {
        "columns": _by_name(parts["columns"], "type", "nullable", "default"),
        "primary key": parts["pk_constraint"],
        "foreign keys": _by_name(
            parts["foreign_keys"], "constrained_columns", "referred_table", "referred_columns", "options"
        ),
        "unique": _by_name(parts["unique_constraints"], "column_names"),
        "checks": _by_name(parts["check_constraints"], "sqltext"),
        "indexes": {index["name"]: _describe_index(index) for index in parts["indexes"]}
        | _read_expression_indexes(table),
        "counts up for ever": _counts_up_for_ever(table),
    }


def _list_tables(inspector: Inspector) -> list[str]:
    return [name for name in inspector.get_table_names() if name != "alembic_version"]


def _by_name(parts: Iterable[Any], *facts: str) -> Row:
    return {part["name"]: [str(part[fact]) for fact in facts] for part in parts}


def _describe_index(index: Any) -> Row:
    condition = index.get("dialect_options", {}).get(f"{db.engine.dialect.name}_where")
    return {
        "columns": index.get("expressions", index["column_names"]),
        "unique": bool(index["unique"]),
        "where": str(condition),
    }


def _read_expression_indexes(table: str) -> Row:
    """Return how the indexes were made that SQLAlchemy cannot read, because SQLite does not list their expressions."""
    if db.engine.dialect.name != "sqlite":
        return {}
    with db.engine.connect() as connection:
        made = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%json_%'")
        )
        return {name: sql for name, sql in made if f" ON {table} " in sql}


def _counts_up_for_ever(table: str) -> bool:
    """Return whether a deleted row's id is never reused. Only SQLite needs AUTOINCREMENT for that."""
    if db.engine.dialect.name != "sqlite":
        return True
    return "AUTOINCREMENT" in str(ask(f"SELECT sql FROM sqlite_master WHERE name = '{table}'"))


def read_version() -> object:
    return ask("SELECT version_num FROM alembic_version")


def ask(query: str) -> object:
    """Return the first column of the first row."""
    with db.engine.connect() as connection:
        return connection.execute(text(query)).scalar()


def execute(statement: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def read_rows(columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Read the stored values of the columns of each table, sorted by the first column."""
    with db.engine.connect() as connection:
        return {
            table: [
                tuple(row) for row in connection.exec_driver_sql(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1")
            ]
            for table, names in columns.items()
        }


def list_columns() -> dict[str, list[str]]:
    """List the columns of every table of the current schema."""
    inspector = inspect(db.engine)
    columns = inspector.get_multi_columns()
    return {table: [column["name"] for column in columns[None, table]] for table in _list_tables(inspector)}


def insert(table: str, *rows: Row) -> None:
    """Insert rows into the current schema, whatever its version."""
    reflected = _reflect(table)
    with db.engine.begin() as connection:
        for row in rows:
            connection.execute(reflected.insert(), row)


def _reflect(table: str) -> Table:
    """Return a table with the types of its columns, which are the same in every database of this version."""
    key = db.engine.dialect.name, read_version(), table
    if key not in _tables:
        columns = inspect(db.engine).get_columns(table)  # nothing else of a table is needed, and takes longer to read
        _tables[key] = Table(table, MetaData(), *(Column(column["name"], column["type"]) for column in columns))
    return _tables[key]


def v1_delivery(**facts: Any) -> Row:
    """Make a real alert's delivery in the first workspace; its default status is sent."""
    return {
        "workspace_id": 1,
        "tenant_id": 1,
        "alert_rule_id": 1,
        "alert_destination_id": 1,
        "event_type": "heartbeat.missing",
        "status": "sent",
        "sent_at": LATE,
        "attempt_count": 1,
        "payload": {},
        "created_at": EARLY,
        "updated_at": LATE,
    } | facts


def fill_v1() -> None:
    """Fill a v1 database with two workspaces of the same kinds of rows and without deliveries."""
    insert(
        "workspaces",
        {"id": 1, "slug": "harbor", "name": "Harbor Logistics", "created_at": EARLY},
        {"id": 2, "slug": "clinic", "name": "Klinik Mühlenstraße 🏥", "created_at": LATE},
    )
    insert(
        "accounts",
        {
            "id": 1,
            "email": "owner@example.com",
            "name": "",
            "password_hash": None,
            "is_active": True,
            "created_at": EARLY,
        },
        {"id": 7, "email": "o'neil@example.com", "name": 'O\'Neil "%s" :x', "is_active": False, "created_at": LATE},
    )
    insert(
        "members",
        {"workspace_id": 1, "account_id": 1, "role": "admin"},
        {"workspace_id": 2, "account_id": 7, "role": "viewer"},
    )
    for number, workspace in ((1, 1), (2, 2), (LARGEST_ID, 2)):
        owned = {"id": number, "workspace_id": workspace, "name": f"Number {number}", "created_at": LATE}
        insert("tenants", owned)
        insert("alert_rules", owned | {"event_type": "disk.full"})
        insert(
            "alert_destinations",
            owned | {"type": "webhook", "config": "gAAAAB-=_" * 500, "is_enabled": number == 1, "updated_at": EARLY},
        )


def add_real_deliveries() -> None:
    """Add deliveries of every status, with values that a copy could damage."""
    second = {"workspace_id": 2, "tenant_id": 2, "alert_rule_id": 2, "alert_destination_id": 2}
    largest = {"tenant_id": LARGEST_ID, "alert_rule_id": LARGEST_ID, "alert_destination_id": LARGEST_ID}
    insert(
        "alert_deliveries",
        v1_delivery(),
        v1_delivery(payload={"text": "Überlauf – 通知 🔔 \u202eذ", "quotes": "'\"\\ %s :x", "line": "a\r\n\tb"}),
        v1_delivery(payload={"a": [1, [2.5, {"b": None}], True, [], {}], "big": 2**60, "tiny": 1e-300, "": ""}),
        v1_delivery(payload=[]),
        v1_delivery(payload="text alone"),
        v1_delivery(payload=JSON.NULL),
        v1_delivery(status="queued", sent_at=None, attempt_count=0, updated_at=EARLY),
        v1_delivery(status="deferred", sent_at=None, send_after=LATE, last_error_code="rate_limited"),
        v1_delivery(status="failed", sent_at=None, last_error_code="not_found", last_error_message="Ä" * 500),
        v1_delivery(status="failed", last_error_code="", last_error_message="", attempt_count=2**31 - 1),
        v1_delivery(status="suppressed", sent_at=None, event_type="alerts.test.not"),
        v1_delivery(status="canceled", sent_at=None, send_after=EARLY, event_type="e" * 100),
        v1_delivery(id=2**53 + 1, **second),
        v1_delivery(id=LARGEST_ID - 1, **(second | largest)),
    )
