"""Problems of destinations, and who was told about them."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "which destinations had problems, who was told, and who wants to be told."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
KINDS = "'reset', 'confirmation', 'changed', 'invitation', 'check'"
CONSTRAINT = "ck_account_mails_kind_known"
ENDS = "'accepted', 'seen', 'disabled', 'deleted', 'changed', 'not_needed'"


def upgrade() -> None:
    _set_kinds(f"{KINDS}, 'notice'")
    op.create_table(
        "destination_problems",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("alert_destination_id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("message_at", INSTANT, nullable=False),
        sa.Column("error_code", sa.String(50)),
        sa.Column("error_message", sa.String(500)),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("attention_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("end_reason", sa.String(20)),
        sa.PrimaryKeyConstraint("id", name="pk_destination_problems"),
        _workspace("destination_problems"),
        _destination("destination_problems"),
        sa.CheckConstraint(
            "kind IN ('failing', 'missing', 'unconfirmed')", name=op.f("ck_destination_problems_kind_known")
        ),
        sa.CheckConstraint(f"end_reason IN ({ENDS})", name=op.f("ck_destination_problems_end_reason_known")),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_destination_problems_closed_for_a_reason")
        ),
        sa.CheckConstraint("failure_count > 0", name=op.f("ck_destination_problems_failure_count_positive")),
        sqlite_autoincrement=True,
    )
    _partial_index(
        "ix_destination_problems_open", ["alert_destination_id", "kind"], "closed_at IS NULL", is_unique=True
    )
    op.create_index("ix_destination_problems_workspace", "destination_problems", ["workspace_id", "closed_at"])
    op.create_index("ix_destination_problems_closed_at", "destination_problems", ["closed_at"])
    _partial_index("ix_destination_problems_attention", ["attention_at"], "attention_at IS NOT NULL")
    _create_notices()
    op.create_table(
        "notice_preferences",
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("wants_mail", sa.Boolean(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name="pk_notice_preferences"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "account_id"],
            ["members.workspace_id", "members.account_id"],
            name="fk_notice_preferences_workspace_id_account_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_notice_preferences_account", "notice_preferences", ["account_id"])


def downgrade() -> None:
    for table in ("notice_preferences", "notice_items", "notices", "destination_problems"):
        op.drop_table(table)
    op.execute("DELETE FROM account_mails WHERE kind = 'notice'")
    _set_kinds(KINDS)


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("account_mail_id", ID, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("error_code", sa.String(50)),
        sa.Column("error_message", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        _workspace("notices"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_notices_account_id", ondelete="CASCADE"),
        sa.CheckConstraint("status IN ('queued', 'sent', 'failed', 'canceled')", name=op.f("ck_notices_status_known")),
        sa.CheckConstraint("(status = 'queued') = (ended_at IS NULL)", name=op.f("ck_notices_ended_has_time")),
        sa.CheckConstraint("status <> 'failed' OR error_code IS NOT NULL", name=op.f("ck_notices_failed_has_code")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_workspace", "notices", ["workspace_id", "created_at"])
    op.create_index("ix_notices_account", "notices", ["account_id"])
    op.create_index("ix_notices_mail", "notices", ["account_mail_id"])
    op.create_index("ix_notices_created_at", "notices", ["created_at"])
    _partial_index("ix_notices_queued", ["id"], "status = 'queued'", table="notices")
    op.create_table(
        "notice_items",
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("problem_id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", "problem_id", name="pk_notice_items"),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="fk_notice_items_notice_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["destination_problems.id"], name="fk_notice_items_problem_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('opened', 'reminder', 'recovered')", name=op.f("ck_notice_items_kind_known")),
    )
    op.create_index("ix_notice_items_problem", "notice_items", ["problem_id"])


def _set_kinds(kinds: str) -> None:
    with op.batch_alter_table("account_mails", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f(CONSTRAINT), type_="check")
        table.create_check_constraint(op.f(CONSTRAINT), f"kind IN ({kinds})")


def _workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id"], ["workspaces.id"], name=f"fk_{table}_workspace_id", ondelete="CASCADE"
    )


def _destination(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", "alert_destination_id"],
        ["alert_destinations.workspace_id", "alert_destinations.id"],
        name=f"fk_{table}_workspace_id_alert_destination_id",
        ondelete="CASCADE",
    )


def _partial_index(
    name: str, columns: list[str], condition: str, table: str = "destination_problems", *, is_unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=is_unique, sqlite_where=where, postgresql_where=where)
