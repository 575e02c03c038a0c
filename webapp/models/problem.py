"""The table of problems: one row per run of failures of one destination."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.destination import AlertDestination
from webapp.models.partial_index import partial_index
from webapp.models.types import Id, UtcDateTime, closed_set


class ProblemKind(StrEnum):
    """What is wrong with a destination.

    FAILING: a real alert or the second test send of a drill failed. MISSING: somebody reported that a message did not
    arrive. UNCONFIRMED: nobody has confirmed a drill where that is asked for.
    """

    FAILING = "failing"
    MISSING = "missing"
    UNCONFIRMED = "unconfirmed"


class ProblemEnd(StrEnum):
    """How a problem ended.

    ACCEPTED: a later message was accepted. SEEN: somebody saw a message arrive. DISABLED, DELETED: the destination was.
    CHANGED: its settings were, so that earlier drills say nothing about it. NOT_NEEDED: no confirmation is
    needed any more, such as after a report that the drill's message did not arrive.
    """

    ACCEPTED = "accepted"
    SEEN = "seen"
    DISABLED = "disabled"
    DELETED = "deleted"
    CHANGED = "changed"
    NOT_NEEDED = "not_needed"

    @property
    def is_recovery(self) -> bool:
        """Whether it says that the destination works again."""
        return self in (ProblemEnd.ACCEPTED, ProblemEnd.SEEN)


# Literals, as in `webapp.models.delivery`: an upsert has to name the condition of its index exactly.
IS_OPEN = text("closed_at IS NULL")
IS_WATCHED = text("attention_at IS NOT NULL")

_ENDS = ", ".join(f"'{end}'" for end in ProblemEnd)


class DestinationProblem(Base):
    """A run of failures, from the first one until the destination works again. At most one of each kind is open.

    delivery_id: the newest delivery that counted, which retention may have deleted. message_at: when it was requested.
    error_code, error_message: why it failed, copied from it; null unless it failed.
    failed_at: when it failed, or its message was reported missing; of an unconfirmed drill, when it was sent.
    failure_count: the deliveries that counted. settings_version: of the destination then.
    attention_at: when a worker has to see whether somebody is to be told; null if never again.
    """

    __tablename__ = "destination_problems"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "alert_destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("kind IN ('failing', 'missing', 'unconfirmed')", name="kind_known"),
        CheckConstraint(f"end_reason IN ({_ENDS})", name="end_reason_known"),
        CheckConstraint("(closed_at IS NULL) = (end_reason IS NULL)", name="closed_for_a_reason"),
        CheckConstraint("failure_count > 0", name="failure_count_positive"),
        partial_index("ix_destination_problems_open", "alert_destination_id", "kind", unique=True, where=IS_OPEN),
        Index("ix_destination_problems_workspace", "workspace_id", "closed_at"),
        Index("ix_destination_problems_closed_at", "closed_at"),
        partial_index("ix_destination_problems_attention", "attention_at", where=IS_WATCHED),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    alert_destination_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[ProblemKind] = mapped_column(closed_set(ProblemKind))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivery_id: Mapped[int] = mapped_column(Id)
    message_at: Mapped[datetime] = mapped_column(UtcDateTime)
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_message: Mapped[str | None] = mapped_column(String(500))
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failure_count: Mapped[int] = mapped_column(default=1)
    settings_version: Mapped[int]
    attention_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[ProblemEnd | None] = mapped_column(closed_set(ProblemEnd))

    destination: Mapped[AlertDestination] = relationship(
        primaryjoin="DestinationProblem.alert_destination_id == AlertDestination.id",
        foreign_keys="DestinationProblem.alert_destination_id",
        viewonly=True,
    )
