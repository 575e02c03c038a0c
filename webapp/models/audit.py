"""The audit trail: rows that are added and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, Name, UtcDateTime


class AuditEvent(Base):
    """One action. Database triggers refuse updates and deletions, so the row has no foreign keys.

    Only the events of a public demo's visitor can be deleted, with all that the visitor did.

    workspace_id: null if the action concerns the whole installation. An action on one's own account, such as a
    sign-in, has one row per workspace of the account.
    action: a value of `webapp.audit.Action`.
    account_id, account_name: who acted; the id is null for the command line and for unknown visitors.
    subject: what was acted on, such as "Ops (destination 7)". destination_id: set if the subject is a destination.
    result: `done` or `refused`.
    changed: the names of a destination's changed fields, never their values; a member's role; the count of sign-ins.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_newest", "workspace_id", "id"),
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
