"""Drills: the schedule of a workspace, what each destination has of it, and which deliveries belong to one.

Columns are added without copying the tables, so that the triggers of 0004 remain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "the schedules of drills, which destinations have them, and which test sends were drills."

CHOICES = "'follow', 'skip', 'weekly', 'monthly', 'quarterly'"
INDEXES = {"ix_alert_deliveries_drills": "drill IS NOT NULL", "ix_alert_deliveries_accepted": "status = 'sent'"}


def upgrade() -> None:
    op.create_table(
        "drill_schedules",
        sa.Column(
            "workspace_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("workspaces.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("interval", sa.String(20), nullable=False),
        sa.Column("weekdays", sa.String(7), nullable=False),
        sa.Column("from_hour", sa.Integer(), nullable=False),
        sa.Column("to_hour", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("interval IN ('weekly', 'monthly', 'quarterly')", name="interval_known"),
        sa.CheckConstraint("weekdays <> ''", name="has_weekday"),
        sa.CheckConstraint("from_hour BETWEEN 0 AND 23 AND to_hour BETWEEN 1 AND 24", name="hours_of_a_day"),
    )
    op.execute(
        "ALTER TABLE alert_destinations ADD COLUMN drill_choice VARCHAR(20) DEFAULT 'follow' NOT NULL"
        f" CONSTRAINT ck_alert_destinations_drill_choice_known CHECK (drill_choice IN ({CHOICES}))"
    )
    for name in ("drills_may_page", "needs_confirmation"):
        op.add_column("alert_destinations", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("alert_destinations", sa.Column("drilled_at", sa.DateTime(timezone=True)))
    op.execute(
        "ALTER TABLE alert_deliveries ADD COLUMN drill VARCHAR(20)"
        " CONSTRAINT ck_alert_deliveries_drill_known CHECK (drill IN ('first', 'second'))"
    )
    for name, condition in INDEXES.items():
        where = sa.text(condition)
        columns = ["alert_destination_id", "created_at", "id"]
        op.create_index(name, "alert_deliveries", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "alert_deliveries")
    op.drop_column("alert_deliveries", "drill")
    for name in ("drilled_at", "needs_confirmation", "drills_may_page", "drill_choice"):
        op.drop_column("alert_destinations", name)
    op.drop_table("drill_schedules")
