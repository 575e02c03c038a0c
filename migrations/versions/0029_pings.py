"""Pings: requests to the administrator's own monitoring, which show that a worker works."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "when the administrator's monitoring was last pinged."


def upgrade() -> None:
    op.create_table(
        "pings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("period", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("attempt_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.Column("code", sa.String(50)),
        sa.UniqueConstraint("kind", "period"),
        sa.CheckConstraint("kind IN ('hour', 'round')", name="kind_known"),
        sa.CheckConstraint("accepted_at IS NULL OR next_attempt_at IS NULL", name="accepted_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pings_accepted_at", "pings", ["accepted_at"])
    op.create_index("ix_pings_next_attempt_at", "pings", ["next_attempt_at"])


def downgrade() -> None:
    op.drop_table("pings")
