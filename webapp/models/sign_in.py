"""The tables of sessions, of refused sign-ins and of the clients that an account signs in from."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import Account
from webapp.models.types import Id, UtcDateTime


class SignIn(Base):
    """A session. It ends with its row, or after `webapp.auth.session_lifetime.SESSION_LIFETIME`.

    last_seen_at: its last request, to within minutes. browser: such as "Firefox on Linux". client: the masked address.
    Each is null if it was not recorded. is_instance_admin: whether a set-up link has given this session the rights of
    an instance admin.
    """

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    browser: Mapped[str | None] = mapped_column(String(100))
    client: Mapped[str | None] = mapped_column(String(64))
    is_instance_admin: Mapped[bool] = mapped_column(default=False, server_default=false())

    account: Mapped[Account] = relationship()


class SignInWindow(Base):
    """Counts the refused sign-ins of 15 minutes: one row per email address, and one per address and client.

    key: a keyed hash, so that the table holds no address. started_at: the start of the 15 minutes.
    refused_strangers: those of `refused` that came from clients the account was never used from.
    account_id: of the row per email address, if an account has it. Without a foreign key, the work is always the same.
    is_reported: whether the audit trail tells that the window opened.
    """

    __tablename__ = "sign_in_windows"
    __table_args__ = (Index("ix_sign_in_windows_started_at", "started_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    first_refused_at: Mapped[datetime] = mapped_column(UtcDateTime)
    refused: Mapped[int]
    refused_strangers: Mapped[int]
    account_id: Mapped[int | None] = mapped_column(Id)
    is_reported: Mapped[bool]


class KnownClient(Base):
    """A client that an account was signed in from. key: a keyed hash of the account's address and the client."""

    __tablename__ = "known_clients"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
