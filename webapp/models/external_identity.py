"""The table of the accounts of other systems that people sign in with."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.account import Account
from webapp.models.types import Id, UtcDateTime


class ExternalIdentity(Base):
    """A person at a provider of single sign-on, and the account that is theirs. At most one for each provider.

    issuer, subject: what identifies the person, for good (OpenID Connect Core 1.0, section 5.7). Never their address.
    """

    __tablename__ = "external_identities"
    __table_args__ = (
        Index("ix_external_identities_subject", "issuer", "subject", unique=True),
        Index("ix_external_identities_account", "account_id", "issuer", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()
