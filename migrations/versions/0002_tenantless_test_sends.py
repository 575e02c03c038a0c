"""Tenantless test sends: tenant and rule may be null, and new constraints refuse impossible rows.

Existing rows are not changed. Rows that violate a new constraint stop the upgrade before anything is altered; the error
shows how many there are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = (
    "of each delivery, who sent the test, with which settings, and how the receiver responded; and which destinations "
    "were deleted: they come back, disabled and without settings. With test sends in the database, it refuses."
)

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WAITING = sa.text("status IN ('queued', 'deferred')")

CHECKS = {
    "status_known": "status IN ('queued', 'deferred', 'sent', 'failed', 'suppressed', 'canceled')",
    "test_send_or_real_alert": (
        "(event_type = 'alerts.test' AND tenant_id IS NULL AND alert_rule_id IS NULL)"
        " OR (event_type <> 'alerts.test' AND tenant_id IS NOT NULL AND alert_rule_id IS NOT NULL)"
    ),
    "sent_has_time": "status <> 'sent' OR sent_at IS NOT NULL",
    "failed_has_code": "status <> 'failed' OR last_error_code IS NOT NULL",
    "deferred_has_time": "status <> 'deferred' OR send_after IS NOT NULL",
    "attempt_count_not_negative": "attempt_count >= 0",
}
OWNERS = {"alert_destination_id": "alert_destinations", "tenant_id": "tenants", "alert_rule_id": "alert_rules"}


def upgrade() -> None:
    _refuse_rows_that_break_a_rule()
    op.add_column("alert_destinations", sa.Column("settings_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("alert_destinations", sa.Column("deleted_at", INSTANT))
    with op.batch_alter_table("alert_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("tenant_id", existing_type=ID, nullable=True)
        table.alter_column("alert_rule_id", existing_type=ID, nullable=True)
        table.add_column(sa.Column("attempt_started_at", INSTANT))
        table.add_column(sa.Column("answer_status", sa.Integer()))
        table.add_column(sa.Column("answer_seconds", sa.Double()))
        table.add_column(sa.Column("requested_by_id", ID))
        table.add_column(sa.Column("settings_version", sa.Integer()))
        table.create_foreign_key(
            "fk_alert_deliveries_requested_by_id", "accounts", ["requested_by_id"], ["id"], ondelete="SET NULL"
        )
        for column, owner in OWNERS.items():
            table.drop_constraint(f"fk_alert_deliveries_{column}", type_="foreignkey")
            table.create_foreign_key(
                f"fk_alert_deliveries_workspace_id_{column}",
                owner,
                ["workspace_id", column],
                ["workspace_id", "id"],
                ondelete="RESTRICT" if column == "alert_destination_id" else "CASCADE",
            )
        for name, rule in CHECKS.items():
            table.create_check_constraint(op.f(f"ck_alert_deliveries_{name}"), rule)
    op.create_index(
        "ix_alert_deliveries_newest",
        "alert_deliveries",
        ["workspace_id", "alert_destination_id", "event_type", "created_at", "id"],
    )
    op.create_index(
        "ix_alert_deliveries_waiting",
        "alert_deliveries",
        ["updated_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index("ix_alert_deliveries_tenant", "alert_deliveries", ["workspace_id", "tenant_id"])
    op.create_index("ix_alert_deliveries_rule", "alert_deliveries", ["workspace_id", "alert_rule_id"])


def downgrade() -> None:
    _refuse_to_lose_test_sends()
    for name in ("newest", "waiting", "tenant", "rule"):
        op.drop_index(f"ix_alert_deliveries_{name}", "alert_deliveries")
    with op.batch_alter_table("alert_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        for name in CHECKS:
            table.drop_constraint(op.f(f"ck_alert_deliveries_{name}"), type_="check")
        table.drop_constraint("fk_alert_deliveries_requested_by_id", type_="foreignkey")
        for column, owner in OWNERS.items():
            table.drop_constraint(f"fk_alert_deliveries_workspace_id_{column}", type_="foreignkey")
            table.create_foreign_key(f"fk_alert_deliveries_{column}", owner, [column], ["id"], ondelete="CASCADE")
        for column in ("attempt_started_at", "answer_status", "answer_seconds", "requested_by_id", "settings_version"):
            table.drop_column(column)
        table.alter_column("tenant_id", existing_type=ID, nullable=False)
        table.alter_column("alert_rule_id", existing_type=ID, nullable=False)
    op.drop_column("alert_destinations", "deleted_at")
    op.drop_column("alert_destinations", "settings_version")


def _refuse_rows_that_break_a_rule() -> None:
    rules = {name: f"NOT ({rule})" for name, rule in CHECKS.items()}
    for column, owner in OWNERS.items():
        rules[f"{column}_of_same_workspace"] = (
            f"NOT EXISTS (SELECT 1 FROM {owner} o WHERE o.id = {column} AND o.workspace_id = d.workspace_id)"
        )
    broken = {name: _count(f"SELECT count(*) FROM alert_deliveries d WHERE {breaks}") for name, breaks in rules.items()}
    if any(broken.values()):
        found = ", ".join(f"{name}: {count}" for name, count in broken.items() if count)
        raise SystemExit(
            f"Nothing was changed. Deliveries that break a rule of the new schema: {found}. "
            "Correct or remove these rows, then upgrade again; docs/decisions/0003 says how."
        )


def _refuse_to_lose_test_sends() -> None:
    count = _count("SELECT count(*) FROM alert_deliveries WHERE event_type = 'alerts.test'")
    if count:
        raise SystemExit(
            f"Nothing was changed. The older schema cannot hold test sends, and there are {count}. "
            "Export and delete them first: DELETE FROM alert_deliveries WHERE event_type = 'alerts.test'."
        )


def _count(query: str) -> int:
    return op.get_bind().exec_driver_sql(query).scalar_one()
