"""Which workspaces have nobody who administers them."""

from collections.abc import Sequence

from sqlalchemy import exists, select

from webapp.extensions import db
from webapp.models import Account, Member, Role, Workspace

_HAS_ADMIN = (
    exists()
    .where(Member.workspace_id == Workspace.id, Member.role == Role.ADMIN)
    .where(Account.id == Member.account_id, Account.is_active.is_(True))
)


def list_workspaces_without_admin() -> Sequence[Workspace]:
    """Return the workspaces without an admin who may sign in, by name. A provider's groups may lower the last one."""
    query = select(Workspace).where(Workspace.deleted_at.is_(None), ~_HAS_ADMIN)
    return db.session.scalars(query.order_by(Workspace.name, Workspace.id)).all()
