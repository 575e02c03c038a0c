"""Starts, finds and ends the visits to a public demo."""

import secrets
from datetime import datetime

from sqlalchemy import func, select

from webapp.app_state import current_settings
from webapp.auth.accounts import add_account
from webapp.demo.receiver.inbox import Inbox
from webapp.demo.receiver.inboxes import new_key
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.demo.seed import fill_workspace
from webapp.demo.seed_plan import VISITOR_WORKSPACE
from webapp.demo.visits.capacity import hash_networks, require_room
from webapp.extensions import db
from webapp.models import Account, AlertDestination, DemoVisit, Role, Workspace
from webapp.settings import VISIT_TIME, Demo
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

# Destinations of a visitor: at once, and in total with deleted ones, whose rows stay.
MAX_DESTINATIONS = 20
MAX_DESTINATIONS_MADE = 60


def start_visit(client: str, now: datetime) -> Account:
    """Make a visitor's account and workspace, with its destinations and an empty inbox, and commit.

    client: the visitor's network. Raises `TooManyVisitors`.
    """
    demo = get_public_demo()
    visit = _add_visit(demo, client, now)
    account = db.session.get_one(Account, visit.account_id)
    try:
        receiver = ReceiverAddresses(demo, visit.inbox_key)
        receiver.inbox.prepare()
        workspace = db.session.get_one(Workspace, visit.workspace_id)
        fill_workspace(workspace, account, VISITOR_WORKSPACE[1], receiver, current_settings().cipher, now)
        db.session.commit()
    except Exception:  # nobody could use what is there, and it would take a place
        db.session.rollback()
        end_visit(account, now)
        raise
    return account


def end_visit(account: Account, now: datetime) -> None:
    """End the visit of an account before its time, and commit. The worker deletes it."""
    visit = find_visit(account)
    if visit is not None:
        visit.ends_at = min(visit.ends_at, now)
    db.session.commit()


def find_visit(account: Account) -> DemoVisit | None:
    """Return the visit of an account, or None."""
    return db.session.scalars(select(DemoVisit).where(DemoVisit.account_id == account.id)).one_or_none()


def open_inbox(visit: DemoVisit) -> Inbox:
    """Return the inbox of a visit."""
    return ReceiverAddresses(get_public_demo(), visit.inbox_key).inbox


def find_receiver(account: Account) -> ReceiverAddresses | None:
    """Return what an account has at the receiver of this demo. None if there is nothing, as after a visit."""
    app_settings = current_settings()
    if app_settings.demo is None:
        return None
    if not app_settings.is_public_demo:
        return ReceiverAddresses(app_settings.demo)
    visit = find_visit(account)
    return ReceiverAddresses(app_settings.demo, visit.inbox_key) if visit else None


def has_room(visit: DemoVisit) -> bool:
    """Check whether the visitor may add another destination."""
    own = AlertDestination.workspace_id == visit.workspace_id
    made = db.session.execute(select(func.count(), func.count(AlertDestination.deleted_at)).where(own)).one()
    return made[0] < MAX_DESTINATIONS_MADE and made[0] - made[1] < MAX_DESTINATIONS


def get_public_demo() -> Demo:
    """Return the demo's settings. Only a public demo calls this."""
    demo = current_settings().demo
    if demo is None or demo.visitors is None:
        raise LookupError("not a public demo")
    return demo


def _add_visit(demo: Demo, client: str, now: datetime) -> DemoVisit:
    network, neighborhood = hash_networks(client)
    db.session.rollback()  # SQLite refuses to write in a transaction that has read an older state
    if demo.visitors:
        require_room(demo.visitors, network, neighborhood, now)
    name = secrets.token_hex(8)
    workspace = add_workspace(f"demo-{name}", VISITOR_WORKSPACE[0], now)
    account = add_account(f"visitor-{name}@demo.invalid", "Demo visitor", None, now)
    set_role(workspace, account, Role.ADMIN)
    visit = DemoVisit(
        workspace_id=workspace.id,
        account_id=account.id,
        inbox_key=new_key(),
        network=network,
        neighborhood=neighborhood,
        started_at=now,
        ends_at=now + VISIT_TIME,
    )
    db.session.add(visit)
    db.session.commit()
    return visit
