"""A column for the facts of a delivery's last exchange with its receiver: timings, address, certificate, response.

The column is added without copying the table, so that the triggers of 0004 remain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = (
    "how long each step of past sends took, which address they used, and which certificate and kind of response the "
    "receiver returned."
)


def upgrade() -> None:
    op.add_column("alert_deliveries", sa.Column("exchange", sa.JSON()))


def downgrade() -> None:
    op.drop_column("alert_deliveries", "exchange")
