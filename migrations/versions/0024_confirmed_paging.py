"""Whether whoever planned a test confirmed that it pages people."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "which planned tests were confirmed to page people."

ENDS = "'canceled', 'disabled', 'not_allowed', 'expired', 'replaced', 'member_limit', 'workspace_limit', 'target_limit'"
CONSTRAINT = "ck_planned_tests_end_reason_known"


def upgrade() -> None:
    with op.batch_alter_table("planned_tests", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("confirms_paging", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.drop_constraint(op.f(CONSTRAINT), type_="check")
        table.create_check_constraint(op.f(CONSTRAINT), f"end_reason IN ({ENDS}, 'not_confirmed')")


def downgrade() -> None:
    op.execute("UPDATE planned_tests SET end_reason = 'not_allowed' WHERE end_reason = 'not_confirmed'")
    with op.batch_alter_table("planned_tests", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f(CONSTRAINT), type_="check")
        table.create_check_constraint(op.f(CONSTRAINT), f"end_reason IN ({ENDS})")
        table.drop_column("confirms_paging")
