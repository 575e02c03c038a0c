"""What a search finds: the search keys of destinations, and an index of the references of test sends.

The workers fill in the search keys of destinations that exist already: they know the keys that decrypt the settings.
The index is on an expression, so that no row has to be rewritten. SQLAlchemy cannot read such an index from SQLite: a
later migration that copies `alert_deliveries` has to drop it first, and to make it again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "what finds destinations by host or recipient. An upgrade restores it."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFERENCE = {"postgresql": "(payload ->> 'reference')", "sqlite": "json_extract(payload, '$.reference')"}


def upgrade() -> None:
    op.add_column("alert_destinations", sa.Column("search_mark", sa.String(64)))
    op.create_table(
        "search_keys",
        sa.Column("hash", sa.String(32), nullable=False),
        sa.Column("destination_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("hash", "destination_id", name="pk_search_keys"),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["alert_destinations.id"],
            name="fk_search_keys_destination_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_search_keys_destination_id", "search_keys", ["destination_id"])
    op.execute(
        f"CREATE INDEX ix_alert_deliveries_reference ON alert_deliveries ({REFERENCE[op.get_bind().dialect.name]})"
        " WHERE event_type = 'alerts.test'"
    )


def downgrade() -> None:
    op.drop_index("ix_alert_deliveries_reference", "alert_deliveries")
    op.drop_table("search_keys")
    op.drop_column("alert_destinations", "search_mark")
