"""The set-up link, and whether the installation has ever had an account."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "the set-up link that works, and that the installation has had an account if none is left."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

# When the first account was added, as far as the database tells: the accounts may have been deleted since, but the
# audit trail still says that there were some. Not the time of the upgrade, so that a second one gives the same row.
EARLIER_ACCOUNTS = """
    INSERT INTO set_up (id, account_added_at)
    SELECT 1, first_at
    FROM (
        SELECT MIN(known_at) AS first_at
        FROM (
            SELECT created_at AS known_at FROM accounts
            UNION ALL
            SELECT happened_at FROM audit_events WHERE account_id IS NOT NULL OR action = 'added the member'
        ) AS traces
    ) AS first_trace
    WHERE first_at IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "set_up",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("account_added_at", INSTANT),
        sa.Column("token_hash", sa.String(64)),
        sa.Column("expires_at", INSTANT),
        sa.CheckConstraint("id = 1", name="only_row"),
        sa.CheckConstraint("(token_hash IS NULL) = (expires_at IS NULL)", name="link_expires"),
        sa.PrimaryKeyConstraint("id", name="pk_set_up"),
    )
    op.execute(EARLIER_ACCOUNTS)


def downgrade() -> None:
    op.drop_table("set_up")
