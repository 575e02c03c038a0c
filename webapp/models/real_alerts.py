"""The tables behind real alerts: tenants and alert rules. A test send has neither."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, Name, UtcDateTime


class Tenant(Base):
    """A customer inside a workspace."""

    __tablename__ = "tenants"
    __table_args__ = (UniqueConstraint("workspace_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Name(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AlertRule(Base):
    """Turns an event into a real alert."""

    __tablename__ = "alert_rules"
    __table_args__ = (UniqueConstraint("workspace_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Name(200))
    event_type: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
