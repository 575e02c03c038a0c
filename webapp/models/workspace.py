"""The tables of workspaces and of the slugs that were given out."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, Name, UtcDateTime


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
