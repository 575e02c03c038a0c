"""The table of the set-up link: a single row, which also records that the installation has had an account."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime

# The id of the only row. It is added when it is first needed.
ONLY_ROW = 1


class SetUp(Base):
    """The set-up link that works, if any. Being one row, it is also what concurrent starts and presses wait for.

    account_added_at: when the first account was added. Never null again, even if every account is deleted.
    token_hash: a keyed hash, so that nobody who reads the table can open the link. expires_at: until when it works.
    """

    __tablename__ = "set_up"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_row"),
        CheckConstraint("(token_hash IS NULL) = (expires_at IS NULL)", name="link_expires"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    account_added_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token_hash: Mapped[str | None] = mapped_column(String(64))
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
