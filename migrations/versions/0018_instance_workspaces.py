"""Deleted workspaces, slugs that are never given out again, and viewers that Support everywhere has raised.

Columns are added without copying a table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = (
    "the slugs of deleted workspaces, which may then be given out again, which workspaces are being deleted, so that "
    "what is left of them is never deleted, and which members were viewers before they supported every workspace."
)

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("deleted_at", INSTANT))
    op.add_column("members", sa.Column("raised_from", sa.String(20)))
    op.create_table(
        "used_slugs",
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("used_by_id", ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.PrimaryKeyConstraint("slug", name="pk_used_slugs"),
        sa.UniqueConstraint("used_by_id", name="uq_used_slugs_used_by_id"),
    )
    op.create_index("ix_used_slugs_deleted_at", "used_slugs", ["deleted_at"])
    op.execute("INSERT INTO used_slugs (slug, used_by_id, name) SELECT slug, id, name FROM workspaces")


def downgrade() -> None:
    op.drop_table("used_slugs")
    op.drop_column("members", "raised_from")
    op.drop_column("workspaces", "deleted_at")
