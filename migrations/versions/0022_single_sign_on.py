"""Who signs in with an account of a provider of single sign-on."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = (
    "which accounts belong to whom at the provider of the single sign-on. They have no password, so their owners "
    "cannot sign in until an administrator sets one."
)

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "external_identities",
        sa.Column("id", ID, nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_external_identities_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_external_identities"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_external_identities_subject", "external_identities", ["issuer", "subject"], unique=True)
    op.create_index("ix_external_identities_account", "external_identities", ["account_id", "issuer"], unique=True)


def downgrade() -> None:
    op.drop_table("external_identities")
