"""Columns for who gave a receipt: its source, and who recorded what a customer said.

Columns are added without copying the table, so that the triggers of 0004 remain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "of each receipt, whether it came from a member, a link or a customer, and who recorded it."

CONSTRAINT = "ck_alert_deliveries_receipt_source_known"
SOURCES = "'link', 'member', 'customer', 'customer_link'"
ADDED = ("receipt_source", "receipt_recorded_by")


def upgrade() -> None:
    op.execute(
        "ALTER TABLE alert_deliveries ADD COLUMN receipt_source VARCHAR(20)"
        f" CONSTRAINT {CONSTRAINT} CHECK (receipt_source IN ({SOURCES}))"
    )
    op.add_column("alert_deliveries", sa.Column("receipt_recorded_by", sa.String(200)))
    # Until now, a receipt without a name came from the link in the message.
    op.execute(
        "UPDATE alert_deliveries SET receipt_source = CASE WHEN receipt_by IS NULL THEN 'link' ELSE 'member' END"
        " WHERE receipt IS NOT NULL"
    )


def downgrade() -> None:
    _drop_source_check()
    for column in ADDED:
        op.drop_column("alert_deliveries", column)


def _drop_source_check() -> None:
    """Drop the check: once a later migration has copied the table, it no longer goes with its column."""
    connection = op.get_bind()
    # SQLite drops a constraint by copying the table, which loses the triggers of 0004.
    triggers = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'alert_deliveries'"
    statements = connection.exec_driver_sql(triggers).scalars().all() if connection.dialect.name == "sqlite" else ()
    with op.batch_alter_table("alert_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f(CONSTRAINT), type_="check")
    for statement in statements:
        connection.exec_driver_sql(statement)
