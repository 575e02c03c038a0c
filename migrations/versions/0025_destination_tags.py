"""The tags of destinations."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "the tags of destinations."


def upgrade() -> None:
    # No rebuild of the table on SQLite, and none of the rows on PostgreSQL.
    op.add_column("alert_destinations", sa.Column("tags", sa.String(400), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    op.drop_column("alert_destinations", "tags")
