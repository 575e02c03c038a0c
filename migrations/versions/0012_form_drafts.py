"""Drafts: the secrets that were typed into a form that could not be saved yet."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "the secrets typed within the last 15 minutes into forms that are not saved yet."


def upgrade() -> None:
    op.create_table(
        "form_drafts",
        sa.Column("id", sa.String(43), nullable=False),
        sa.Column("sign_in_id", sa.String(43), nullable=False),
        sa.Column("path", sa.String(500), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_form_drafts"),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_ins.id"], name="fk_form_drafts_sign_in_id", ondelete="CASCADE"),
    )
    op.create_index("ix_form_drafts_sign_in_id", "form_drafts", ["sign_in_id"])
    op.create_index("ix_form_drafts_created_at", "form_drafts", ["created_at"])


def downgrade() -> None:
    op.drop_table("form_drafts")
