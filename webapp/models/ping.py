"""The table of pings: requests to the address that the administrator has set, which show that a worker works."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime, closed_set


class PingKind(StrEnum):
    """What a ping shows. HOUR: a worker works. ROUND: all drills of a window have ended."""

    HOUR = "hour"
    ROUND = "round"


class Ping(Base):
    """One ping: the request for one hour, or for the windows that ended at one time. Several workers share its row.

    period: that hour or that time. next_attempt_at: when the next attempt may begin; null once it has ended.
    code: why it failed, or the last attempt did; null if none failed. accepted_at: when it was accepted.
    """

    __tablename__ = "pings"
    __table_args__ = (
        UniqueConstraint("kind", "period"),
        CheckConstraint("kind IN ('hour', 'round')", name="kind_known"),
        CheckConstraint("accepted_at IS NULL OR next_attempt_at IS NULL", name="accepted_once"),
        Index("ix_pings_accepted_at", "accepted_at"),
        Index("ix_pings_next_attempt_at", "next_attempt_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[PingKind] = mapped_column(closed_set(PingKind))
    period: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt_count: Mapped[int] = mapped_column(default=0, server_default="0")
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code: Mapped[str | None] = mapped_column(String(50))
