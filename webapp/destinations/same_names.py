"""Warns of destinations with the same name, which is allowed: people tell them apart by host and fingerprint."""

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import AlertDestination, Workspace

WARNING = (
    "Another destination of this workspace has the same name. "
    "The list tells them apart only by channel, host and fingerprint."
)


def find_name_warning(workspace: Workspace, name: str, destination_id: int | None) -> str | None:
    """Return a warning if another destination has this name, upper and lower case aside; None if no other has it.

    destination_id: the destination that gets the name, None if it is new.
    """
    names = db.session.execute(
        select(AlertDestination.id, AlertDestination.name).where(
            AlertDestination.workspace_id == workspace.id, AlertDestination.deleted_at.is_(None)
        )
    )
    is_taken = any(other.casefold() == name.casefold() for other_id, other in names if other_id != destination_id)
    return WARNING if is_taken else None
