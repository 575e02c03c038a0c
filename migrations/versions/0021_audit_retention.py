"""Let the retention delete old audit events, and nothing else any event; and index what the audit trail is filtered by.

Only an event that is older than 30 days can be deleted, and only while the row of `audit_deletions` names a later time.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "how many audit events a deletion of old ones that is under way has deleted. Stop the workers first."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

NEWEST = "ix_audit_events_newest"
INDEXES = {
    NEWEST: ["workspace_id", "happened_at", "id"],
    "ix_audit_events_workspace_person": ["workspace_id", "account_id", "happened_at", "id"],
    "ix_audit_events_workspace_action": ["workspace_id", "action", "happened_at", "id"],
    "ix_audit_events_person": ["account_id", "happened_at", "id"],
    "ix_audit_events_happened_at": ["happened_at", "id"],
}

IS_OF_A_VISIT = "EXISTS (SELECT 1 FROM demo_visits WHERE workspace_id = OLD.workspace_id)"
IS_BEING_DELETED = "EXISTS (SELECT 1 FROM audit_deletions WHERE OLD.happened_at < delete_before)"
IS_OLD = {
    "postgresql": "OLD.happened_at < now() - interval '30 days'",
    "sqlite": "OLD.happened_at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-30 days')",
}
MESSAGE = "the audit trail is append-only"


def upgrade() -> None:
    op.create_table(
        "audit_deletions",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("delete_before", INSTANT, nullable=False),
        sa.Column("deleted", ID, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_deletions"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_deletions_one_row")),
    )
    op.drop_index(NEWEST, "audit_events")
    for name, columns in INDEXES.items():
        op.create_index(name, "audit_events", columns)
    _permit_deletions(f"{IS_OF_A_VISIT} OR ({IS_OLD[op.get_bind().dialect.name]} AND {IS_BEING_DELETED})")
    if op.get_bind().dialect.name == "sqlite":
        # SQLite runs no trigger for the deletion that INSERT OR REPLACE makes.
        op.execute(
            "CREATE TRIGGER audit_events_refuse_replace BEFORE INSERT ON audit_events "
            "WHEN EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_events_refuse_replace")
    _permit_deletions(IS_OF_A_VISIT)
    for name in INDEXES:
        op.drop_index(name, "audit_events")
    op.create_index(NEWEST, "audit_events", ["workspace_id", "id"])
    op.drop_table("audit_deletions")


def _permit_deletions(which: str) -> None:
    """Replace the rule about which audit events may be deleted."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_to_delete_audit_events() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {which} THEN RETURN OLD; END IF; RAISE EXCEPTION '{MESSAGE}'; END $$"
        )
        return
    op.execute("DROP TRIGGER audit_events_refuse_delete")
    op.execute(
        f"CREATE TRIGGER audit_events_refuse_delete BEFORE DELETE ON audit_events WHEN NOT ({which}) "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    )
