"""The table of batches: one row per press on Test all."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime


class Batch(Base):
    """One press on Test all. Its test sends have its id as their `batch`.

    left_out: the destinations that were not tested, as written by `webapp.presses.batches`.
    created_at: when the last test send was requested.
    """

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
