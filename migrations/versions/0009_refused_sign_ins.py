"""Counters of refused sign-ins, and the clients that an account signs in from."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "how many sign-ins were refused and not yet reported, and which clients each account signs in from."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sign_in_windows",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("first_refused_at", INSTANT, nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("refused_strangers", sa.Integer(), nullable=False),
        sa.Column("account_id", ID),
        sa.Column("is_reported", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", "started_at", name="pk_sign_in_windows"),
    )
    op.create_index("ix_sign_in_windows_started_at", "sign_in_windows", ["started_at"])
    op.create_table(
        "known_clients",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_known_clients"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_known_clients_account_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_known_clients_account_id", "known_clients", ["account_id"])


def downgrade() -> None:
    op.drop_table("known_clients")
    op.drop_table("sign_in_windows")
