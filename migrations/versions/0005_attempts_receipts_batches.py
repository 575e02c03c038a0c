"""Columns for the pages: a delivery's attempts, its receipt, and its batch (one press on Test all).

Columns are added without copying the table, so that the triggers of 0004 remain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = (
    "of each delivery, its earlier attempts, its receipt, and which press on Test all it belongs to; and which "
    "destination an entry of the audit trail is about."
)

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
HISTORY = ["workspace_id", "created_at", "id"]
PARTS = {
    "history_not_sent": (HISTORY, "status <> 'sent'"),
    "history_tests": (HISTORY, "event_type = 'alerts.test'"),
    "batch": (["batch"], "batch IS NOT NULL"),
}
ADDED = ("attempts", "receipt", "receipt_at", "receipt_by", "batch")


def upgrade() -> None:
    op.add_column("alert_deliveries", sa.Column("attempts", sa.JSON()))
    op.execute(
        "ALTER TABLE alert_deliveries ADD COLUMN receipt VARCHAR(20)"
        " CONSTRAINT ck_alert_deliveries_receipt_known CHECK (receipt IN ('seen', 'missing'))"
    )
    op.add_column("alert_deliveries", sa.Column("receipt_at", INSTANT))
    op.add_column("alert_deliveries", sa.Column("receipt_by", sa.String(200)))
    op.add_column("alert_deliveries", sa.Column("batch", sa.String(32)))
    op.create_index("ix_alert_deliveries_history", "alert_deliveries", HISTORY)
    for name, (columns, rows) in PARTS.items():
        where = sa.text(rows)
        op.create_index(
            f"ix_alert_deliveries_{name}", "alert_deliveries", columns, sqlite_where=where, postgresql_where=where
        )
    op.add_column("audit_events", sa.Column("destination_id", ID))
    op.create_index("ix_audit_events_destination", "audit_events", ["destination_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_events_destination", "audit_events")
    op.drop_column("audit_events", "destination_id")
    for name in ("history", *PARTS):
        op.drop_index(f"ix_alert_deliveries_{name}", "alert_deliveries")
    _drop_receipt_check()
    for column in ADDED:
        op.drop_column("alert_deliveries", column)


def _drop_receipt_check() -> None:
    """Drop the check on receipts: once a later migration has copied the table, it no longer goes with its column."""
    connection = op.get_bind()
    # SQLite drops a constraint by copying the table, which loses the triggers of 0004.
    triggers = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'alert_deliveries'"
    statements = connection.exec_driver_sql(triggers).scalars().all() if connection.dialect.name == "sqlite" else ()
    with op.batch_alter_table("alert_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f("ck_alert_deliveries_receipt_known"), type_="check")
    for statement in statements:
        connection.exec_driver_sql(statement)
