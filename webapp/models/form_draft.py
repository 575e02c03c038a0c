"""The table of drafts: the secrets of a form that could not be saved yet."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import UtcDateTime


class FormDraft(Base):
    """Secrets that were typed into a form, for the session that typed them. They end with the session.

    path: of the form. content: encrypted; see `webapp.destinations.drafts`.
    """

    __tablename__ = "form_drafts"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    sign_in_id: Mapped[str] = mapped_column(String(43), ForeignKey("sign_ins.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(String(500))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
