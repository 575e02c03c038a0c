"""The audit trail: rows that are added, never changed, and deleted only once they are old."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, Name, UtcDateTime


class AuditEvent(Base):
    """One action. Database triggers refuse updates and deletions, so the row has no foreign keys.

    They permit the deletion of the events of a public demo's visitor, and of those that an `AuditDeletion` names.

    workspace_id: null if the action concerns the whole installation. An action on one's own account, such as a
    sign-in, has one row per workspace of the account.
    action: a value of `webapp.audit.Action`.
    account_id, account_name: who acted; the id is null for the command line and for unknown visitors.
    subject: what was acted on, such as "Ops (destination 7)". destination_id: set if the subject is a destination.
    result: `done` or `refused`.
    changed: details, such as the names of a destination's changed settings, never their values; the old and the new
        name or role; the count of sign-ins.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_newest", "workspace_id", "happened_at", "id"),
        Index("ix_audit_events_workspace_person", "workspace_id", "account_id", "happened_at", "id"),
        Index("ix_audit_events_workspace_action", "workspace_id", "action", "happened_at", "id"),
        Index("ix_audit_events_person", "account_id", "happened_at", "id"),
        Index("ix_audit_events_happened_at", "happened_at", "id"),
        Index("ix_audit_events_destination", "destination_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int | None] = mapped_column(Id)
    account_id: Mapped[int | None] = mapped_column(Id)
    account_name: Mapped[str] = mapped_column(Name(200))
    action: Mapped[str] = mapped_column(String(50))
    subject: Mapped[str] = mapped_column(Name(300))
    result: Mapped[str] = mapped_column(String(20))
    changed: Mapped[list[Any]] = mapped_column(JSON)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    destination_id: Mapped[int | None] = mapped_column(Id)


class AuditDeletion(Base):
    """The deletion of old audit events that is under way: one row at most, from its first event to its last.

    The database lets the events from before `delete_before` be deleted, if they are older than `MIN_AUDIT_AGE` of the
    settings.
    deleted: how many it has deleted.
    """

    __tablename__ = "audit_deletions"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False, default=1)
    delete_before: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted: Mapped[int] = mapped_column(Id, default=0)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
