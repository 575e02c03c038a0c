"""Takes the demo back to its beginning, also while tests are under way."""

from datetime import datetime

from sqlalchemy import case, delete, update

from webapp.audit import Action, Actor, record_instance_event
from webapp.demo.receiver.inbox import Inbox
from webapp.demo.seed import add_demo
from webapp.extensions import Base, db
from webapp.models import Account, AlertDestination, Role, Workspace
from webapp.settings import AppSettings, Demo

# The tables that a reset leaves as they are, so that visitors stay signed in, and the installation remembers that it
# has had an account. The database refuses to delete from the audit trail, whose rows belong to workspaces that are
# gone; those of the new ones have other ids.
KEPT_TABLES = frozenset(
    {"accounts", "sign_ins", "sign_in_windows", "known_clients", "set_up", "audit_events", "audit_deletions"}
)


def reset_demo(app_settings: AppSettings, demo: Demo, now: datetime, by: Actor) -> None:
    """Replace all data with that of a new demo, empty the inbox and reset every switch. Commits. by: who resets it.

    A delivery under way loses its row: nobody sends it any more, and what is being sent is recorded nowhere.
    """
    _lock()
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in KEPT_TABLES:
            db.session.execute(delete(table))
    db.session.execute(delete(Account).where(Account.email.not_in([f"{role}@demo.invalid" for role in Role])))
    _restore_accounts(now)
    db.session.expire_all()
    add_demo(app_settings, demo, now)
    record_instance_event(Action.DEMO_RESET, "", now, by)
    db.session.commit()
    inbox = Inbox(demo.inbox)
    inbox.clear()
    inbox.switches.clear()


def _restore_accounts(now: datetime) -> None:
    """Give the demo's accounts back what its instance admin may have changed, or what an earlier version left out."""
    is_admin = Account.email == f"{Role.ADMIN}@demo.invalid"
    restored = {
        "is_active": True,
        "is_instance_admin": is_admin,
        "is_support_everywhere": False,
        "email_verified_at": case((is_admin, now), else_=None),
    }
    db.session.execute(update(Account).values(restored).execution_options(synchronize_session=False))


def _lock() -> None:
    """Let a press, or another reset, that has begun end first, and each that begins now wait.

    Destinations come first, because a press locks one before it adds rows to the workspace.
    """
    for table in (AlertDestination, Workspace):
        statement = update(table).values(id=table.id).execution_options(synchronize_session=False)
        db.session.execute(statement)
