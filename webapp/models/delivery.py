"""The table of deliveries: one row per message to one destination."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.failures import Code
from webapp.models.account import Account
from webapp.models.destination import AlertDestination
from webapp.models.drill import DrillNumber
from webapp.models.partial_index import partial_index
from webapp.models.receipt import Receipt, ReceiptSource
from webapp.models.reference import ReferenceIn
from webapp.models.types import Id, Name, UtcDateTime, closed_set

# The `event_type` of a test send.
TEST_EVENT = "alerts.test"

# Literals, not bound parameters, so that both databases recognize which partial index serves a query.
IS_WAITING = text("status IN ('queued', 'deferred')")
HAS_CODE = text("last_error_code IS NOT NULL")
IS_TEST = text("event_type = 'alerts.test'")
IS_BATCHED = text("batch IS NOT NULL")
IS_DRILL = text("drill IS NOT NULL")
IS_SENT = text("status = 'sent'")

_CODES = ", ".join(f"'{code}'" for code in sorted(Code))


class DeliveryStatus(StrEnum):
    """The stored status. A delivery that is being sent is `queued` with `attempt_started_at` set."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELED = "canceled"

    @property
    def is_waiting(self) -> bool:
        """Whether the delivery has not ended."""
        return self in (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)


class AlertDelivery(Base):
    """One message. A test send (`event_type` = `TEST_EVENT`) has neither tenant nor rule; a real alert has both.

    send_after: the time of the next attempt while `deferred`.
    attempt_started_at: set by the claim, cleared at the end of the attempt.
    settings_version: that of the destination when the test was requested.
    answer_status, answer_seconds: the receiver's last response (HTTP status or SMTP code), and the attempt's duration.
    attempts: completed attempts, oldest first, as written by `webapp.deliveries.attempts.past_attempts`; null if an
        older version recorded none.
    exchange: the facts of the last attempt's exchange with the receiver, as written by
        `webapp.deliveries.attempts.exchanges`; null while an attempt runs, and if none connected or an older version
        sent it.
    suggestion: what the service suggests for a setting, as written by `webapp.deliveries.attempts.suggestions`; null
        if nothing.
    receipt, receipt_at, receipt_source: a person's receipt, its time, and where it came from.
    receipt_by: the name of that person; null if it came by a link. receipt_recorded_by: the name of the member who
        wrote down what a customer said.
    batch: the id shared by the test sends of one press on Test all.
    by_customer_link: whether the test was requested by a customer's link. `requested_by` is who made the link.
    drill: which test send of a drill it is; null if it belongs to none. `requested_by` is null if the schedule made it.
    last_error_message: our own sentence; on a sent row, a warning about what was not accepted.
    payload: the contents of the message, without secrets.
    """

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "alert_destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            ondelete="RESTRICT",
        ),
        ForeignKeyConstraint(["workspace_id", "tenant_id"], ["tenants.workspace_id", "tenants.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["workspace_id", "alert_rule_id"], ["alert_rules.workspace_id", "alert_rules.id"], ondelete="CASCADE"
        ),
        CheckConstraint(
            "status IN ('queued', 'deferred', 'sent', 'failed', 'suppressed', 'canceled')", name="status_known"
        ),
        CheckConstraint(
            "(event_type = 'alerts.test' AND tenant_id IS NULL AND alert_rule_id IS NULL)"
            " OR (event_type <> 'alerts.test' AND tenant_id IS NOT NULL AND alert_rule_id IS NOT NULL)",
            name="test_send_or_real_alert",
        ),
        CheckConstraint("status <> 'sent' OR sent_at IS NOT NULL", name="sent_has_time"),
        CheckConstraint("status <> 'failed' OR last_error_code IS NOT NULL", name="failed_has_code"),
        CheckConstraint("status <> 'deferred' OR send_after IS NOT NULL", name="deferred_has_time"),
        CheckConstraint("attempt_count >= 0", name="attempt_count_not_negative"),
        # Real alerts are exempt: version 1 used other codes.
        CheckConstraint(
            f"event_type <> 'alerts.test' OR last_error_code IS NULL OR last_error_code IN ({_CODES})",
            name="test_send_fails_by_known_code",
        ),
        CheckConstraint("drill IN ('first', 'second')", name="drill_known"),
        CheckConstraint("receipt IN ('seen', 'missing')", name="receipt_known"),
        CheckConstraint(
            "receipt_source IN ('link', 'member', 'customer', 'customer_link')", name="receipt_source_known"
        ),
        Index(
            "ix_alert_deliveries_newest",
            "workspace_id",
            "alert_destination_id",
            "event_type",
            "created_at",
            "id",
        ),
        partial_index("ix_alert_deliveries_waiting", "updated_at", where=IS_WAITING),
        # For the history: every filter scans its index in the order of the page key.
        Index("ix_alert_deliveries_history", "workspace_id", "created_at", "id"),
        Index("ix_alert_deliveries_history_destination", "workspace_id", "alert_destination_id", "created_at", "id"),
        Index("ix_alert_deliveries_history_status", "workspace_id", "status", "created_at", "id"),
        partial_index(
            "ix_alert_deliveries_history_code", "workspace_id", "last_error_code", "created_at", "id", where=HAS_CODE
        ),
        partial_index("ix_alert_deliveries_history_tests", "workspace_id", "created_at", "id", where=IS_TEST),
        partial_index("ix_alert_deliveries_batch", "batch", where=IS_BATCHED),
        # The newest drill of a destination, and the newest message that its receiver accepted.
        partial_index("ix_alert_deliveries_drills", "alert_destination_id", "created_at", "id", where=IS_DRILL),
        partial_index("ix_alert_deliveries_accepted", "alert_destination_id", "created_at", "id", where=IS_SENT),
        Index("ix_alert_deliveries_tenant", "workspace_id", "tenant_id"),
        Index("ix_alert_deliveries_rule", "workspace_id", "alert_rule_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    tenant_id: Mapped[int | None] = mapped_column(Id)
    alert_rule_id: Mapped[int | None] = mapped_column(Id)
    alert_destination_id: Mapped[int] = mapped_column(Id)
    event_type: Mapped[str] = mapped_column(String(100))
    status: Mapped[DeliveryStatus] = mapped_column(closed_set(DeliveryStatus))
    send_after: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt_count: Mapped[int] = mapped_column(default=0)
    attempt_started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error_code: Mapped[str | None] = mapped_column(String(50))
    last_error_message: Mapped[str | None] = mapped_column(String(500))
    answer_status: Mapped[int | None]
    answer_seconds: Mapped[float | None]
    requested_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts.id", ondelete="SET NULL"))
    settings_version: Mapped[int | None]
    attempts: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    exchange: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    suggestion: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    receipt: Mapped[Receipt | None] = mapped_column(closed_set(Receipt))
    receipt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    receipt_source: Mapped[ReceiptSource | None] = mapped_column(closed_set(ReceiptSource))
    receipt_by: Mapped[str | None] = mapped_column(Name(200))
    receipt_recorded_by: Mapped[str | None] = mapped_column(Name(200))
    batch: Mapped[str | None] = mapped_column(String(32))
    by_customer_link: Mapped[bool] = mapped_column(default=False, server_default=false())
    drill: Mapped[DrillNumber | None] = mapped_column(closed_set(DrillNumber))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def reference(self) -> str | None:
        """Return the short code shown in the message, or None if an older version wrote none."""
        return self.payload.get("reference") if isinstance(self.payload, dict) else None

    @property
    def requester(self) -> str | None:
        """Return the name of whoever requested a test send, or None if that is not known."""
        return self.requested_by.name if self.requested_by else None

    destination: Mapped[AlertDestination] = relationship(
        primaryjoin="AlertDelivery.alert_destination_id == AlertDestination.id",
        foreign_keys="AlertDelivery.alert_destination_id",
        viewonly=True,
    )
    requested_by: Mapped[Account | None] = relationship(viewonly=True)


# Serves `webapp.deliveries.queries.has_reference`.
partial_index("ix_alert_deliveries_reference", ReferenceIn(AlertDelivery.__table__.c.payload), where=IS_TEST)
