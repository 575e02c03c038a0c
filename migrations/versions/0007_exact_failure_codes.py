"""Failure codes that name the cause more exactly: certificates, mail servers, gateways, sign-in pages and the demo.

SQLite alters a constraint by copying the table, so its triggers (those of 0004) and indexes are created again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "the exact cause of failures: newer codes are replaced by older, more general ones."

CONSTRAINT = "ck_alert_deliveries_test_send_fails_by_known_code"
OLD_CODES = (
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
# Each new code, with the old code that a downgrade replaces it with: one that claims the same about the arrival.
NEW_CODES = {
    "demo_receiver_only": "target_not_allowed",
    "tls_self_signed": "tls_untrusted",
    "tls_incomplete_chain": "tls_untrusted",
    "client_certificate_required": "tls_failed",
    "sign_in_page": "unexpected_status",
    "method_not_allowed": "bad_request",
    "gateway_gave_up": "remote_error",
    "smtp_interrupted": "smtp_protocol",
    "smtp_host_refused": "smtp_protocol",
    "smtp_wrong_port": "smtp_protocol",
    "smtp_encryption_required": "sender_refused",
    "smtp_sign_in_required": "sender_refused",
    "smtp_app_password_required": "smtp_auth_failed",
    "smtp_disabled_by_tenant": "smtp_auth_failed",
    "smtp_relay_denied": "recipients_refused",
    "smtp_sender_not_owned": "sender_refused",
    "mailbox_full": "recipients_refused",
}


def upgrade() -> None:
    with _copied_completely():
        _allow(*sorted((*OLD_CODES, *NEW_CODES)))


def downgrade() -> None:
    with _copied_completely():
        for code, replacement in NEW_CODES.items():
            deliveries = sa.table("alert_deliveries", sa.column("last_error_code"))
            is_new = deliveries.c.last_error_code == code
            op.execute(deliveries.update().where(is_new).values(last_error_code=replacement))
        _allow(*OLD_CODES)


def _allow(*codes: str) -> None:
    """Replace the constraint on the codes of test sends."""
    known = ", ".join(f"'{code}'" for code in codes)
    with op.batch_alter_table("alert_deliveries", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f(CONSTRAINT), type_="check")
        table.create_check_constraint(
            op.f(CONSTRAINT),
            f"event_type <> 'alerts.test' OR last_error_code IS NULL OR last_error_code IN ({known})",
        )


@contextmanager
def _copied_completely() -> Iterator[None]:
    """Run the block without the triggers of `alert_deliveries`, which protect ended test sends, and restore them.

    On SQLite, restore the indexes too, in the order in which they were made: it prefers the newest of several that fit.
    """
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute("ALTER TABLE alert_deliveries DISABLE TRIGGER test_sends_live_one_life")
        yield
        op.execute("ALTER TABLE alert_deliveries ENABLE TRIGGER test_sends_live_one_life")
        return
    parts = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master"
        " WHERE type IN ('index', 'trigger') AND tbl_name = 'alert_deliveries' AND sql IS NOT NULL ORDER BY rowid"
    ).all()
    for kind, name, _ in parts:
        op.execute(f"DROP {kind} {name}")
    yield
    for _, _, statement in parts:
        connection.exec_driver_sql(statement)
