"""The table of planned tests: presses that wait for the end of a cooldown."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, Name, UtcDateTime, closed_set


class PlanEnd(StrEnum):
    """Why a planned test ended without a test send of its own."""

    CANCELED = "canceled"
    DISABLED = "disabled"
    NOT_ALLOWED = "not_allowed"
    EXPIRED = "expired"
    REPLACED = "replaced"
    MEMBER_LIMIT = "member_limit"
    WORKSPACE_LIMIT = "workspace_limit"
    TARGET_LIMIT = "target_limit"
    NOT_CONFIRMED = "not_confirmed"


_ENDS = ", ".join(f"'{end}'" for end in PlanEnd)


class PlannedTest(Base):
    """A test that a worker requests for a member once the destination's cooldown is over; at most one per destination.

    It is not a delivery: the row is deleted in the transaction that writes the test send.
    due_at: when the cooldown is over. ended_at, end_reason: set if it ended without a test send, so that the page can
        say why; null while it waits. ended_by: the name of the member who ended it, if one did.
    confirms_paging: whether whoever planned it confirmed that it pages people.
    """

    __tablename__ = "planned_tests"
    __table_args__ = (
        UniqueConstraint("alert_destination_id"),
        ForeignKeyConstraint(
            ["workspace_id", "alert_destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_for_a_reason"),
        CheckConstraint(f"end_reason IN ({_ENDS})", name="end_reason_known"),
        Index("ix_planned_tests_ended_at", "ended_at", "due_at"),
        Index("ix_planned_tests_planned_by_id", "planned_by_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    alert_destination_id: Mapped[int] = mapped_column(Id)
    planned_by_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[PlanEnd | None] = mapped_column(closed_set(PlanEnd))
    ended_by: Mapped[str | None] = mapped_column(Name(200))
    confirms_paging: Mapped[bool] = mapped_column(default=False, server_default=false())
