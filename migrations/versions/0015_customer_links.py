"""The customers' links, and which test sends were requested by one.

The column is added without copying the table, so that the triggers of 0004 remain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "all customers' links, which stop working, and which test sends were requested by one."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "customer_links",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("destination_id", ID, nullable=False),
        sa.Column("destination_type", sa.String(50), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_customer_links"),
        sa.UniqueConstraint("token_hash", name="uq_customer_links_token_hash"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            name="fk_customer_links_workspace_id_destination_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["members.workspace_id", "members.account_id"],
            name="fk_customer_links_workspace_id_account_id",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_links_destination", "customer_links", ["workspace_id", "destination_id"])
    op.create_index("ix_customer_links_account", "customer_links", ["account_id", "workspace_id"])
    op.create_index("ix_customer_links_expires_at", "customer_links", ["expires_at"])
    op.add_column(
        "alert_deliveries", sa.Column("by_customer_link", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("alert_deliveries", "by_customer_link")
    op.drop_table("customer_links")
