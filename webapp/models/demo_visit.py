"""The table of visits to a public demo. It has no rows in any other installation."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime


class DemoVisit(Base):
    """A visitor's workspace and account, which are deleted some time after `ends_at`.

    The database lets audit events of these workspaces be deleted, and of no other.
    inbox_key: opens the visitor's inbox at the demo's receiver. Secret.
    network, neighborhood: keyed hashes of the visitor's network and of the larger one around it, for the limits.
    """

    __tablename__ = "demo_visits"

    workspace_id: Mapped[int] = mapped_column(
        Id, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    inbox_key: Mapped[str] = mapped_column(String(26), unique=True)
    network: Mapped[str] = mapped_column(String(64))
    neighborhood: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
