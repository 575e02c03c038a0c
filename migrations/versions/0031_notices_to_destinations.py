"""Notices about problems that go to a destination, and which one an admin has chosen for that."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "which destination is told about problems of the others, and what it was told."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
CHECKS = {
    "one_recipient": "(account_id IS NULL) = (alert_destination_id IS NOT NULL)",
    "person_has_mail": "(account_id IS NULL) = (account_mail_id IS NULL)",
    "claimed_for_destination": "claimed_at IS NULL OR alert_destination_id IS NOT NULL",
}
FOREIGN_KEY = "fk_notices_workspace_id_alert_destination_id"
DESTINATION = (["workspace_id", "alert_destination_id"], ["workspace_id", "id"])


def upgrade() -> None:
    with _keeping_items(), op.batch_alter_table("notices", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("alert_destination_id", ID))
        table.add_column(sa.Column("claimed_at", INSTANT))
        table.alter_column("account_id", existing_type=ID, nullable=True)
        table.alter_column("account_mail_id", existing_type=ID, nullable=True)
        table.create_foreign_key(FOREIGN_KEY, "alert_destinations", *DESTINATION, ondelete="CASCADE")
        for name, condition in CHECKS.items():
            table.create_check_constraint(op.f(f"ck_notices_{name}"), condition)
    op.create_table(
        "notice_destinations",
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("alert_destination_id", ID, nullable=False),
        sa.Column("chosen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_notice_destinations"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_notice_destinations_workspace_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "alert_destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            name="fk_notice_destinations_workspace_id_alert_destination_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("notice_destinations")
    told = "SELECT id FROM notices WHERE alert_destination_id IS NOT NULL"
    op.execute(f"DELETE FROM notice_items WHERE notice_id IN ({told})")
    op.execute("DELETE FROM notices WHERE alert_destination_id IS NOT NULL")
    with _keeping_items(), op.batch_alter_table("notices", table_kwargs={"sqlite_autoincrement": True}) as table:
        for name in CHECKS:
            table.drop_constraint(op.f(f"ck_notices_{name}"), type_="check")
        table.drop_constraint(FOREIGN_KEY, type_="foreignkey")
        table.alter_column("account_mail_id", existing_type=ID, nullable=False)
        table.alter_column("account_id", existing_type=ID, nullable=False)
        table.drop_column("claimed_at")
        table.drop_column("alert_destination_id")


@contextmanager
def _keeping_items() -> Iterator[None]:
    """Put the items aside on SQLite: it alters a table by copying it, and deletes them with the original."""
    if op.get_bind().dialect.name != "sqlite":
        yield
        return
    op.execute("CREATE TEMPORARY TABLE kept_items AS SELECT notice_id, problem_id, kind FROM notice_items")
    yield
    op.execute(
        "INSERT INTO notice_items (notice_id, problem_id, kind) SELECT notice_id, problem_id, kind FROM kept_items"
    )
    op.execute("DROP TABLE kept_items")
