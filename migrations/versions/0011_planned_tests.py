"""Tests that are planned for the end of a cooldown."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "which tests are planned: they are not sent."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
ENDS = "'canceled', 'disabled', 'not_allowed', 'expired', 'replaced', 'member_limit', 'workspace_limit', 'target_limit'"


def upgrade() -> None:
    op.create_table(
        "planned_tests",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("alert_destination_id", ID, nullable=False),
        sa.Column("planned_by_id", ID, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("end_reason", sa.String(20)),
        sa.Column("ended_by", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name="pk_planned_tests"),
        sa.UniqueConstraint("alert_destination_id", name="uq_planned_tests_alert_destination_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_planned_tests_workspace_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "alert_destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            name="fk_planned_tests_workspace_id_alert_destination_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["planned_by_id"], ["accounts.id"], name="fk_planned_tests_planned_by_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_planned_tests_ended_for_a_reason")
        ),
        sa.CheckConstraint(f"end_reason IN ({ENDS})", name=op.f("ck_planned_tests_end_reason_known")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_planned_tests_ended_at", "planned_tests", ["ended_at", "due_at"])
    op.create_index("ix_planned_tests_planned_by_id", "planned_tests", ["planned_by_id"])


def downgrade() -> None:
    op.drop_table("planned_tests")
