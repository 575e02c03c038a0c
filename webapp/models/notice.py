"""The tables of notices: what was told about problems, to whom, and who or what is to be told."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.partial_index import partial_index
from webapp.models.problem import DestinationProblem
from webapp.models.types import Id, UtcDateTime, closed_set


class NoticeKind(StrEnum):
    """What a notice says about a problem: that it began, that it goes on, or that it is over."""

    OPENED = "opened"
    REMINDER = "reminder"
    RECOVERED = "recovered"


class NoticeStatus(StrEnum):
    """Where a notice stands. CANCELED: there was nothing to tell any more, or nobody to be told."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    CANCELED = "canceled"


IS_QUEUED = text("status = 'queued'")


class Notice(Base):
    """What one recipient is told about problems of a workspace: a person by mail, or a destination. Not a delivery.

    account_id, account_mail_id: who, and the mail that carries it, which a worker claims and sends; see
        `webapp.account_mail`. It has no foreign key: mails are deleted after some days.
    alert_destination_id, claimed_at: or else which destination, and when a worker claimed the notice to send it there;
        see `webapp.notices.destination_sending`.
    ended_at: null as long as it is queued; of a sent one, when it was accepted. One that takes several steps to write
        is canceled until the last one, without a mail; see `webapp.notices.writing`.
    error_code, error_message: why it failed, or was canceled.
    """

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'sent', 'failed', 'canceled')", name="status_known"),
        CheckConstraint("(status = 'queued') = (ended_at IS NULL)", name="ended_has_time"),
        CheckConstraint("status <> 'failed' OR error_code IS NOT NULL", name="failed_has_code"),
        CheckConstraint("(account_id IS NULL) = (alert_destination_id IS NOT NULL)", name="one_recipient"),
        CheckConstraint("(account_id IS NULL) = (account_mail_id IS NULL)", name="person_has_mail"),
        CheckConstraint("claimed_at IS NULL OR alert_destination_id IS NOT NULL", name="claimed_for_destination"),
        ForeignKeyConstraint(
            ["workspace_id", "alert_destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            ondelete="CASCADE",
        ),
        Index("ix_notices_workspace", "workspace_id", "created_at"),
        Index("ix_notices_account", "account_id"),
        Index("ix_notices_mail", "account_mail_id"),
        Index("ix_notices_created_at", "created_at"),
        partial_index("ix_notices_queued", "id", where=IS_QUEUED),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    account_mail_id: Mapped[int | None] = mapped_column(Id)
    alert_destination_id: Mapped[int | None] = mapped_column(Id)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[NoticeStatus] = mapped_column(closed_set(NoticeStatus), default=NoticeStatus.QUEUED)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_message: Mapped[str | None] = mapped_column(String(500))


class NoticeItem(Base):
    """A problem that a notice tells, and what about it."""

    __tablename__ = "notice_items"
    __table_args__ = (
        CheckConstraint("kind IN ('opened', 'reminder', 'recovered')", name="kind_known"),
        Index("ix_notice_items_problem", "problem_id"),
    )

    notice_id: Mapped[int] = mapped_column(Id, ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True)
    problem_id: Mapped[int] = mapped_column(
        Id, ForeignKey("destination_problems.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[NoticeKind] = mapped_column(closed_set(NoticeKind))

    problem: Mapped[DestinationProblem] = relationship(viewonly=True)


class NoticePreference(Base):
    """What a member has chosen. Without a row, the default of the role counts. It ends with the membership."""

    __tablename__ = "notice_preferences"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["members.workspace_id", "members.account_id"], ondelete="CASCADE"
        ),
        Index("ix_notice_preferences_account", "account_id"),
    )

    workspace_id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(Id, primary_key=True)
    wants_mail: Mapped[bool]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NoticeDestination(Base):
    """The destination that is told about the problems of the others of its workspace, as an admin has chosen."""

    __tablename__ = "notice_destinations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "alert_destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            ondelete="CASCADE",
        ),
    )

    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    alert_destination_id: Mapped[int] = mapped_column(Id)
    chosen_at: Mapped[datetime] = mapped_column(UtcDateTime)
