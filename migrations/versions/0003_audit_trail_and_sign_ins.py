"""An append-only audit trail, sign-ins that can be ended, and a constraint: test sends fail only with known codes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "the audit trail, and all sign-ins: everybody is signed out."

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

CODES = (
    "url_invalid",
    "scheme_not_allowed",
    "port_not_allowed",
    "host_not_expected",
    "target_not_allowed",
    "config_incomplete",
    "config_unreadable",
    "recipient_invalid",
    "dns_not_found",
    "dns_temporary",
    "dns_timeout",
    "connect_refused",
    "connect_timeout",
    "network_unreachable",
    "tls_untrusted",
    "tls_hostname_mismatch",
    "tls_expired",
    "tls_not_yet_valid",
    "tls_failed",
    "read_timeout",
    "deadline_exceeded",
    "connection_closed",
    "invalid_response",
    "redirect_refused",
    "bad_request",
    "auth_failed",
    "forbidden",
    "not_found",
    "gone",
    "payload_too_large",
    "rate_limited",
    "remote_unavailable",
    "remote_error",
    "unexpected_status",
    "remote_rejected",
    "smtp_temporary",
    "smtp_auth_failed",
    "smtp_auth_unavailable",
    "smtp_tls_unavailable",
    "smtp_protocol",
    "sender_refused",
    "recipients_refused",
    "message_refused",
    "queue_unavailable",
    "not_started",
    "worker_lost",
    "destination_disabled",
    "destination_deleted",
    "destination_changed",
    "superseded",
    "internal_error",
)
KNOWN_CODE = "event_type <> 'alerts.test' OR last_error_code IS NULL OR last_error_code IN ({})".format(
    ", ".join(f"'{code}'" for code in CODES)
)


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(43), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_sign_ins_account_id", ondelete="CASCADE"),
    )
    op.create_index("ix_sign_ins_account_id", "sign_ins", ["account_id"])
    op.create_table(
        "audit_events",
        sa.Column("id", ID, primary_key=True),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("account_id", ID),
        sa.Column("account_name", sa.String(200), nullable=False),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_events_newest", "audit_events", ["workspace_id", "id"])
    _make_append_only()
    with op.batch_alter_table("alert_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.create_check_constraint(op.f("ck_alert_deliveries_test_send_fails_by_known_code"), KNOWN_CODE)


def downgrade() -> None:
    with op.batch_alter_table("alert_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f("ck_alert_deliveries_test_send_fails_by_known_code"), type_="check")
    op.drop_table("audit_events")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_to_change_audit_events()")
    op.drop_table("sign_ins")


def _make_append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_to_change_audit_events() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit_events()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_events_refuse_{act.lower()} BEFORE {act} ON audit_events "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )
