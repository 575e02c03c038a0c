"""The tables of workspaces, accounts and members."""

from datetime import datetime
from enum import StrEnum
from typing import cast

from flask_login import UserMixin
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from webapp.extensions import Base
from webapp.models.role_permissions import Role
from webapp.models.types import Id, Name, UtcDateTime, closed_set


class MemberSource(StrEnum):
    """What made an account a member.

    PERSON: an admin, an invitation or a command. GROUPS: the groups that the provider of the single sign-on names.
    EVERYWHERE: the account supports every workspace.
    """

    PERSON = "person"
    GROUPS = "groups"
    EVERYWHERE = "everywhere"


class Workspace(Base):
    """Owns everything; nothing is shared between workspaces. The slug appears in URLs.

    deleted_at: when it was deleted, which closed it to everybody. Its row is the last one that a worker deletes.
    """

    __tablename__ = "workspaces"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    name: Mapped[str] = mapped_column(Name(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UsedSlug(Base):
    """A slug that was given out, and never is again: the settings of an installation may still name it.

    used_by_id: the workspace, which may be gone. name, deleted_at: its name, and when it was deleted.
    """

    __tablename__ = "used_slugs"
    __table_args__ = (Index("ix_used_slugs_deleted_at", "deleted_at"),)

    slug: Mapped[str] = mapped_column(String(63), primary_key=True)
    used_by_id: Mapped[int] = mapped_column(Id, unique=True)
    name: Mapped[str] = mapped_column(Name(200))
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


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


class Member(Base):
    """An account's role in one workspace.

    created_at, added_by: since when, and the name of who did it; null if that was not recorded.
    raised_from: the source of a viewer's membership that Support everywhere has raised, and that returns without it.
    """

    __tablename__ = "members"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'support', 'viewer')", name="role_known"),
        CheckConstraint("source IN ('person', 'groups', 'everywhere')", name="source_known"),
    )

    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[Role] = mapped_column(closed_set(Role))
    source: Mapped[MemberSource] = mapped_column(
        closed_set(MemberSource), default=MemberSource.PERSON, server_default=MemberSource.PERSON.value
    )
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    added_by: Mapped[str | None] = mapped_column(Name(200))
    raised_from: Mapped[MemberSource | None] = mapped_column(closed_set(MemberSource))

    workspace: Mapped[Workspace] = relationship()
    account: Mapped[Account] = relationship()

    @validates("role", "source")
    def _forget_viewer(self, _column: str, value: StrEnum) -> StrEnum:
        """Forget the viewer's membership once somebody decides about this one."""
        self.raised_from = None
        return value
