"""The invitations to workspaces."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "all invitations, whose links stop working."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("mailed_token_hash", sa.String(64)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
        sa.UniqueConstraint("mailed_token_hash", name="uq_invitations_mailed_token_hash"),
        sa.UniqueConstraint("workspace_id", "email", name="uq_invitations_workspace_id_email"),
        sa.CheckConstraint("role IN ('admin', 'support', 'viewer')", name=op.f("ck_invitations_role_known")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["members.workspace_id", "members.account_id"],
            name="fk_invitations_workspace_id_account_id",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitations_account", "invitations", ["account_id", "workspace_id"])
    op.create_index("ix_invitations_expires_at", "invitations", ["expires_at"])


def downgrade() -> None:
    op.drop_table("invitations")
