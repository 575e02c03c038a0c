"""The table of accounts."""

from datetime import datetime
from typing import cast

from flask_login import UserMixin
from sqlalchemy import String, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, Name, UtcDateTime


class Account(UserMixin, Base):  # type: ignore[misc]  # flask-login has no types
    """A person who signs in.

    email_verified_at: when it was proven that the address is the person's; null if it never was.
    password_hash: argon2id's encoded hash; null if the account cannot use a password.
    is_instance_admin: whether the account administers the installation, which makes it a member of no workspace.
    is_support_everywhere: whether the account is at least support in every workspace.
    time_zone: an IANA name; null until a browser has reported one.
    last_seen_at: the last request of a session, to within an hour; null if there was none since it is recorded.
    """

    __tablename__ = "accounts"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(Name(200))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_instance_admin: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_support_everywhere: Mapped[bool] = mapped_column(default=False, server_default=false())
    time_zone: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # Of the session that loaded this account, and no columns: its id, when it was last noted as seen, and whether a
    # set-up link has made its opener an instance admin for as long as it lasts.
    sign_in_id = cast("str | None", None)
    session_seen_at = cast("datetime | None", None)
    is_admin_by_session = False

    def get_id(self) -> str:
        """Return the id for the session cookie: the sign-in, not the account, so that a session can be ended."""
        return self.sign_in_id or ""
