"""A column for the value of a setting that a service suggests in its failure, such as the new id of a group.

The column is added without copying the table, so that the triggers of 0004 remain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "which values services suggested for settings in the failures of past sends."


def upgrade() -> None:
    op.add_column("alert_deliveries", sa.Column("suggestion", sa.JSON()))


def downgrade() -> None:
    op.drop_column("alert_deliveries", "suggestion")
