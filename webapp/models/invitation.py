"""The table of invitations: each makes whoever accepts it a member of a workspace."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import Account
from webapp.models.role_permissions import Role
from webapp.models.types import Id, UtcDateTime, closed_set
from webapp.models.workspace import Workspace


class Invitation(Base):
    """An invitation that an admin made. It ends with its row, which is deleted with the membership of who made it.

    account_id: who made it, or who renewed it last. email: in canonical form, the only address that may accept; null
    if any may. token_hash: a keyed hash of the token in the link to copy. mailed_token_hash: of the one in the link
    that was mailed, whose use proves the address; null if none was.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'support', 'viewer')", name="role_known"),
        ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["members.workspace_id", "members.account_id"], ondelete="CASCADE"
        ),
        UniqueConstraint("workspace_id", "email"),
        Index("ix_invitations_account", "account_id", "workspace_id"),
        Index("ix_invitations_expires_at", "expires_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id)
    account_id: Mapped[int] = mapped_column(Id)
    role: Mapped[Role] = mapped_column(closed_set(Role))
    email: Mapped[str | None] = mapped_column(String(254))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    mailed_token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship(
        primaryjoin="Invitation.account_id == Account.id", foreign_keys="Invitation.account_id", viewonly=True
    )
    workspace: Mapped[Workspace] = relationship(
        primaryjoin="Invitation.workspace_id == Workspace.id", foreign_keys="Invitation.workspace_id", viewonly=True
    )
