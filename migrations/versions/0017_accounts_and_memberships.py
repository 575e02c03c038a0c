"""What is known of the people: flags and times of accounts, the origin of memberships, and what sessions came from.

An audit event may also belong to no workspace: it then concerns the whole installation.

Except for the audit trail on SQLite, columns are added without copying a table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = (
    "who is an instance admin or supports every workspace, which email addresses are verified, people's time zones, "
    "since when and by whom somebody is a member, and the audit events of the whole installation."
)

INSTANT = sa.DateTime(timezone=True)

ADDED = {
    "accounts": (
        sa.Column("email_verified_at", INSTANT),
        sa.Column("is_instance_admin", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_support_everywhere", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("time_zone", sa.String(64)),
        sa.Column("last_seen_at", INSTANT),
    ),
    "members": (sa.Column("created_at", INSTANT), sa.Column("added_by", sa.String(200))),
    "sign_ins": (
        sa.Column("last_seen_at", INSTANT),
        sa.Column("browser", sa.String(100)),
        sa.Column("client", sa.String(64)),
        sa.Column("is_instance_admin", sa.Boolean(), nullable=False, server_default=sa.false()),
    ),
}
SOURCE_KNOWN = "ck_members_source_known"


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(
                table,
                sa.Column(column.name, column.type, nullable=column.nullable, server_default=column.server_default),
            )
    op.execute(
        "ALTER TABLE members ADD COLUMN source VARCHAR(20) DEFAULT 'person' NOT NULL"
        f" CONSTRAINT {SOURCE_KNOWN} CHECK (source IN ('person', 'groups', 'everywhere'))"
    )
    _require_workspace(is_required=False)


def downgrade() -> None:
    _require_workspace(is_required=True)
    # With its check. A copy of the table would lose what members planned and the links they made, on SQLite.
    op.execute("ALTER TABLE members DROP COLUMN source")
    for table, columns in ADDED.items():
        for column in columns:
            op.drop_column(table, column.name)


def _require_workspace(*, is_required: bool) -> None:
    """Let every audit event belong to a workspace, or not. The triggers are recreated as they were."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        if is_required:
            op.execute("ALTER TABLE audit_events DISABLE TRIGGER USER")
            op.execute("DELETE FROM audit_events WHERE workspace_id IS NULL")
            op.execute("ALTER TABLE audit_events ENABLE TRIGGER USER")
        op.alter_column("audit_events", "workspace_id", nullable=not is_required)
        return
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
    triggers = connection.exec_driver_sql(found).all()
    for name, _ in triggers:
        op.execute(f"DROP TRIGGER {name}")
    if is_required:
        op.execute("DELETE FROM audit_events WHERE workspace_id IS NULL")
    with op.batch_alter_table("audit_events", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("workspace_id", nullable=not is_required)
    for _, statement in triggers:
        connection.exec_driver_sql(statement)
