"""The table of search keys: what finds a destination whose settings are encrypted."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id


class SearchKey(Base):
    """A host, a recipient or a recipient's domain of a destination, as a keyed hash.

    hash: of `webapp.encryption.search_hashes`, which differs between workspaces.
    """

    __tablename__ = "search_keys"

    hash: Mapped[str] = mapped_column(String(32), primary_key=True)
    destination_id: Mapped[int] = mapped_column(
        Id, ForeignKey("alert_destinations.id", ondelete="CASCADE"), primary_key=True, index=True
    )
