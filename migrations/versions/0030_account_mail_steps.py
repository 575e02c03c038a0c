"""A column for how far the last attempt to send a mail to a person got: connection, TLS, sign-in, sender, recipient."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "how far the attempts to send the mails of the last 7 days got."


def upgrade() -> None:
    op.add_column("account_mails", sa.Column("steps", sa.JSON()))


def downgrade() -> None:
    op.drop_column("account_mails", "steps")
