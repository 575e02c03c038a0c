"""The tables of mails to people about their accounts, and of the links in them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import Account
from webapp.models.types import Id, UtcDateTime, closed_set


class AccountMailKind(StrEnum):
    """What a mail is for.

    RESET: a link to set a new password. CONFIRMATION: a link to confirm one's address. CHANGED: the password was
    changed. INVITATION: a link to join a workspace. CHECK: an instance admin tries the mail server. NOTICE: what is
    wrong with destinations of a workspace; see `webapp.notices`.
    """

    RESET = "reset"
    CONFIRMATION = "confirmation"
    CHANGED = "changed"
    INVITATION = "invitation"
    CHECK = "check"
    NOTICE = "notice"


class AccountMailStatus(StrEnum):
    """Where a mail stands. CANCELED: there was nothing to send any more, such as for an address without an account."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    CANCELED = "canceled"


_KINDS = ", ".join(f"'{kind}'" for kind in AccountMailKind)


class AccountMail(Base):
    """A mail to one person. Without its link: a worker makes that when it sends the mail.

    account_id: whose account it is about; null if that is found by the address, and for an invitation.
    invitation_id: of an invitation. It has no foreign key: whoever sends finds that the invitation is gone.
    address: a typed one, encrypted, until the mail has ended; otherwise null, and the address is that of the account.
    requested_by_id: the account that requested it; null for visitors.
    enqueued_at: when it was last put on the queue; null if it never was. send_after: when the next attempt may begin.
    claimed_at: when the attempt that is being made began. attempt_count: how many there were, that one included.
    ended_at: null as long as it is queued; of a sent mail, when the mail server accepted it.
    error_code, error_message: why it failed, or the last attempt did; see `webapp.account_mail.outcome`.
    steps: how far the last attempt got; null if it did not reach the mail server; see `webapp.account_mail.steps`.
    """

    __tablename__ = "account_mails"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint("status IN ('queued', 'sent', 'failed', 'canceled')", name="status_known"),
        CheckConstraint("(status = 'queued') = (ended_at IS NULL)", name="ended_has_time"),
        CheckConstraint("status <> 'failed' OR error_code IS NOT NULL", name="failed_has_code"),
        CheckConstraint("ended_at IS NULL OR address IS NULL", name="ended_has_no_address"),
        Index("ix_account_mails_ended_at", "ended_at", "created_at"),
        Index("ix_account_mails_account", "account_id", "kind", "created_at"),
        Index("ix_account_mails_invitation", "invitation_id"),
        Index("ix_account_mails_requested_by", "requested_by_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[AccountMailKind] = mapped_column(closed_set(AccountMailKind))
    account_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    invitation_id: Mapped[int | None] = mapped_column(Id)
    address: Mapped[str | None] = mapped_column(Text)
    requested_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts.id", ondelete="SET NULL"))
    status: Mapped[AccountMailStatus] = mapped_column(closed_set(AccountMailStatus))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    enqueued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    send_after: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt_count: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_message: Mapped[str | None] = mapped_column(String(500))
    steps: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    account: Mapped[Account | None] = relationship(foreign_keys=[account_id], viewonly=True)


class AccountLinkKind(StrEnum):
    """What an account's link does: set a new password, or confirm the address."""

    RESET = "reset"
    CONFIRMATION = "confirmation"


class AccountLink(Base):
    """A link that works once, for one account. It ends with its row; a newer one of its kind replaces it.

    token_hash: a keyed hash, so that nobody who reads the table can open a link.
    address_key: a keyed hash of the address that it was mailed to, which its use proves; null if nobody mailed it.
    """

    __tablename__ = "account_links"
    __table_args__ = (
        CheckConstraint("kind IN ('reset', 'confirmation')", name="kind_known"),
        UniqueConstraint("account_id", "kind"),
        UniqueConstraint("token_hash"),
        Index("ix_account_links_expires_at", "expires_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[AccountLinkKind] = mapped_column(closed_set(AccountLinkKind))
    token_hash: Mapped[str] = mapped_column(String(64))
    address_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship(viewonly=True)
