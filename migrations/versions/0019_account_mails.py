"""Mails to people about their accounts, and the links in them, which work once."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = (
    "the links to set a password and to confirm an address, all of which end, and which mails about accounts were sent."
)

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account_mails",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("account_id", ID),
        sa.Column("invitation_id", ID),
        sa.Column("address", sa.Text()),
        sa.Column("requested_by_id", ID),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("enqueued_at", INSTANT),
        sa.Column("send_after", INSTANT),
        sa.Column("claimed_at", INSTANT),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("error_code", sa.String(50)),
        sa.Column("error_message", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_account_mails"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_mails_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["accounts.id"], name="fk_account_mails_requested_by_id", ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "kind IN ('reset', 'confirmation', 'changed', 'invitation', 'check')",
            name=op.f("ck_account_mails_kind_known"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'sent', 'failed', 'canceled')", name=op.f("ck_account_mails_status_known")
        ),
        sa.CheckConstraint("(status = 'queued') = (ended_at IS NULL)", name=op.f("ck_account_mails_ended_has_time")),
        sa.CheckConstraint(
            "status <> 'failed' OR error_code IS NOT NULL", name=op.f("ck_account_mails_failed_has_code")
        ),
        sa.CheckConstraint("ended_at IS NULL OR address IS NULL", name=op.f("ck_account_mails_ended_has_no_address")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_account_mails_ended_at", "account_mails", ["ended_at", "created_at"])
    op.create_index("ix_account_mails_account", "account_mails", ["account_id", "kind", "created_at"])
    op.create_index("ix_account_mails_invitation", "account_mails", ["invitation_id"])
    op.create_index("ix_account_mails_requested_by", "account_mails", ["requested_by_id"])
    op.create_table(
        "account_links",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("address_key", sa.String(64)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_links"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_links_account_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('reset', 'confirmation')", name=op.f("ck_account_links_kind_known")),
        sa.UniqueConstraint("account_id", "kind", name="uq_account_links_account_id_kind"),
        sa.UniqueConstraint("token_hash", name="uq_account_links_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_account_links_expires_at", "account_links", ["expires_at"])


def downgrade() -> None:
    op.drop_table("account_links")
    op.drop_table("account_mails")
