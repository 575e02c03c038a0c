"""Visits to a public demo, whose audit events may be deleted with them. The audit trail stays append-only otherwise."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "which workspaces belong to visitors of a public demo, so that these are never deleted."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

IS_OF_A_VISIT = "EXISTS (SELECT 1 FROM demo_visits WHERE workspace_id = OLD.workspace_id)"


def upgrade() -> None:
    op.create_table(
        "demo_visits",
        sa.Column("workspace_id", ID, nullable=False, autoincrement=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("inbox_key", sa.String(26), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("neighborhood", sa.String(64), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_demo_visits"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_demo_visits_workspace_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_demo_visits_account_id", ondelete="CASCADE"),
        sa.UniqueConstraint("account_id", name="uq_demo_visits_account_id"),
        sa.UniqueConstraint("inbox_key", name="uq_demo_visits_inbox_key"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_events_are_append_only ON audit_events")
        _refuse_statements("UPDATE OR TRUNCATE")
        op.execute(
            "CREATE FUNCTION refuse_to_delete_audit_events() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {IS_OF_A_VISIT} THEN RETURN OLD; END IF;"
            " RAISE EXCEPTION 'the audit trail is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_events_refuse_delete BEFORE DELETE ON audit_events "
            "FOR EACH ROW EXECUTE FUNCTION refuse_to_delete_audit_events()"
        )
        return
    op.execute("DROP TRIGGER audit_events_refuse_delete")
    _refuse_deletions(f"WHEN NOT {IS_OF_A_VISIT} ")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_events_refuse_delete ON audit_events")
        op.execute("DROP FUNCTION refuse_to_delete_audit_events()")
        op.execute("DROP TRIGGER audit_events_are_append_only ON audit_events")
        _refuse_statements("UPDATE OR DELETE OR TRUNCATE")
    else:
        op.execute("DROP TRIGGER audit_events_refuse_delete")
        _refuse_deletions()
    op.drop_table("demo_visits")


def _refuse_statements(acts: str) -> None:
    op.execute(
        f"CREATE TRIGGER audit_events_are_append_only BEFORE {acts} ON audit_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit_events()"
    )


def _refuse_deletions(condition: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER audit_events_refuse_delete BEFORE DELETE ON audit_events {condition}"
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    )
