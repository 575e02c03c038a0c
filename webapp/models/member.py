"""The table of members: an account's role in a workspace, and what gave it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from webapp.extensions import Base
from webapp.models.account import Account
from webapp.models.role_permissions import Role
from webapp.models.types import Id, Name, UtcDateTime, closed_set
from webapp.models.workspace import Workspace


class MemberSource(StrEnum):
    """What made an account a member.

    PERSON: an admin, an invitation or a command. GROUPS: the groups that the provider of the single sign-on names.
    EVERYWHERE: the account supports every workspace.
    """

    PERSON = "person"
    GROUPS = "groups"
    EVERYWHERE = "everywhere"


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
