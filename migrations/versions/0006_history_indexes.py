"""Indexes of the history: deliveries by destination, by status and by error code, each in the order of the page key.

Drops the index of deliveries that were not sent: the index by status replaces it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "nothing. But pages of the history take longer."

KEY = ["created_at", "id"]
HAS_CODE = sa.text("last_error_code IS NOT NULL")
IS_NOT_SENT = sa.text("status <> 'sent'")


def upgrade() -> None:
    op.drop_index("ix_alert_deliveries_history_not_sent", "alert_deliveries")
    _index("history_destination", ["workspace_id", "alert_destination_id", *KEY])
    _index("history_status", ["workspace_id", "status", *KEY])
    _index("history_code", ["workspace_id", "last_error_code", *KEY], HAS_CODE)


def downgrade() -> None:
    for name in ("history_code", "history_status", "history_destination"):
        op.drop_index(f"ix_alert_deliveries_{name}", "alert_deliveries")
    _index("history_not_sent", ["workspace_id", *KEY], IS_NOT_SENT)


def _index(name: str, columns: list[str], rows: sa.TextClause | None = None) -> None:
    op.create_index(
        f"ix_alert_deliveries_{name}", "alert_deliveries", columns, sqlite_where=rows, postgresql_where=rows
    )
