"""The table of customers' links: each shows one destination to whoever opens it, without an account."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import Account
from webapp.models.types import Id, UtcDateTime


class CustomerLink(Base):
    """A link that a member made. It ends with its row, which is deleted with the membership of who made it.

    token_hash: a keyed hash, so that nobody who reads the table can open a link.
    destination_type: the destination's channel when the link was made. The link does not outlive a change of it.
    last_used_at: when somebody last pressed a button on its page; null if nobody has.
    """

    __tablename__ = "customer_links"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "destination_id"],
            ["alert_destinations.workspace_id", "alert_destinations.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "account_id"], ["members.workspace_id", "members.account_id"], ondelete="CASCADE"
        ),
        Index("ix_customer_links_destination", "workspace_id", "destination_id"),
        Index("ix_customer_links_account", "account_id", "workspace_id"),
        Index("ix_customer_links_expires_at", "expires_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(Id)
    destination_id: Mapped[int] = mapped_column(Id)
    destination_type: Mapped[str] = mapped_column(String(50))
    account_id: Mapped[int] = mapped_column(Id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship(
        primaryjoin="CustomerLink.account_id == Account.id", foreign_keys="CustomerLink.account_id", viewonly=True
    )
