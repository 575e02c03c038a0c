"""The table of destinations."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.drill import DrillChoice
from webapp.models.types import Id, Name, UtcDateTime, closed_set


class AlertDestination(Base):
    """A configured place that alerts go to.

    type: the channel's name.
    config: the settings, encrypted for this row; empty once the destination is deleted.
    settings_version: counts the changes of `type` and `config`. A delivery stores the version it was requested for.
    tags: separated by commas; see `webapp.text.tags`.
    search_mark: which encryption key its search keys were made with; see `webapp.destinations.search_index`.
    drill_choice: its drills. drills_may_page: whether they may page people, where the channel does; otherwise, such a
        destination has none. drilled_at: when its newest drill was requested.
    needs_confirmation: whether somebody has to confirm that the message of a drill arrived.
    deleted_at: set instead of removing the row, so that its deliveries keep their destination.
    """

    __tablename__ = "alert_destinations"
    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        CheckConstraint(
            "drill_choice IN ('follow', 'skip', 'weekly', 'monthly', 'quarterly')", name="drill_choice_known"
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Name(200))
    type: Mapped[str] = mapped_column(String(50))
    config: Mapped[str] = mapped_column(Text)
    tags: Mapped[str] = mapped_column(String(400), default="", server_default=text("''"))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    settings_version: Mapped[int] = mapped_column(default=1, server_default="1")
    search_mark: Mapped[str | None] = mapped_column(String(64))
    drill_choice: Mapped[DrillChoice] = mapped_column(
        closed_set(DrillChoice), default=DrillChoice.FOLLOW, server_default=DrillChoice.FOLLOW.value
    )
    drills_may_page: Mapped[bool] = mapped_column(default=False, server_default=false())
    drilled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    needs_confirmation: Mapped[bool] = mapped_column(default=False, server_default=false())
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def is_active(self) -> bool:
        """Whether messages may be sent to it: it is enabled, and not deleted."""
        return self.is_enabled and self.deleted_at is None

    @property
    def encryption_context(self) -> str:
        """Return the encryption context: the encrypted settings can be decrypted only for this row."""
        return make_encryption_context(self.workspace_id, self.id)


def make_encryption_context(workspace_id: int, destination_id: int) -> str:
    """Return the encryption context of a destination."""
    return f"workspace {workspace_id} destination {destination_id}"
