"""Version 1: real alerts only. Every delivery belongs to a tenant and a rule."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "everything: all workspaces, accounts, members, tenants, rules, destinations and deliveries."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", ID, primary_key=True),
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("slug", name="uq_workspaces_slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "accounts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("email", name="uq_accounts_email"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "members",
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name="pk_members"),
        _belongs_to("members", "workspaces", "workspace_id"),
        _belongs_to("members", "accounts", "account_id"),
        sa.CheckConstraint("role IN ('admin', 'support', 'viewer')", name=op.f("ck_members_role_known")),
    )
    op.create_index("ix_members_account_id", "members", ["account_id"])
    _create_owned_table("tenants")
    _create_owned_table("alert_rules", sa.Column("event_type", sa.String(100), nullable=False))
    _create_owned_table(
        "alert_destinations",
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("id", ID, primary_key=True),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("alert_rule_id", ID, nullable=False),
        sa.Column("alert_destination_id", ID, nullable=False),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("send_after", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("last_error_code", sa.String(50)),
        sa.Column("last_error_message", sa.String(500)),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_deliveries"),
        _belongs_to("alert_deliveries", "workspaces", "workspace_id"),
        _belongs_to("alert_deliveries", "tenants", "tenant_id"),
        _belongs_to("alert_deliveries", "alert_rules", "alert_rule_id"),
        _belongs_to("alert_deliveries", "alert_destinations", "alert_destination_id"),
        sqlite_autoincrement=True,
    )


def _belongs_to(table: str, owner: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")


def _create_owned_table(name: str, *columns: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("id", ID, primary_key=True),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        *columns,
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("workspace_id", "id", name=f"uq_{name}_workspace_id_id"),
        _belongs_to(name, "workspaces", "workspace_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    for table in (
        "alert_deliveries",
        "alert_destinations",
        "alert_rules",
        "tenants",
        "members",
        "accounts",
        "workspaces",
    ):
        op.drop_table(table)
