"""Adds the demo's data: two workspaces whose destinations show every badge and the typical outcomes of a test."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, select

from webapp.app_state import current_settings
from webapp.auth.accounts import add_account
from webapp.demo.address_update import update_addresses
from webapp.demo.destinations import FIRST_ADDED, add_destination, add_destinations
from webapp.demo.drill_schedule import plan_drills
from webapp.demo.drill_stories import AGE, DELETED
from webapp.demo.past_year import add_year
from webapp.demo.real_alerts import add_real_alerts
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.demo.recent_tests import add_recent_tests
from webapp.demo.seed_plan import WORKSPACES, Planned
from webapp.destinations.search_index import erase_search_keys
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.environment.settings_reader import Misconfigured
from webapp.extensions import db
from webapp.models import Account, DemoVisit, Role, Workspace
from webapp.settings import AppSettings, Demo
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace


def find_demo_account(role: Role) -> Account | None:
    """Return the demo's account with this role, or None."""
    return db.session.scalars(select(Account).where(Account.email == f"{role}@demo.invalid")).one_or_none()


def seed_demo(now: datetime) -> str:
    """Add the demo's data, or update the receiver's address in existing data. Returns a summary.

    A public demo begins empty: each visitor's workspace is filled when they come.
    Raises `Misconfigured` if this is not a demo, or if the data belongs to a demo of the other kind.
    """
    app_settings = current_settings()
    if app_settings.demo is None:
        raise Misconfigured("This is not a demo: ALERTCHECK_DEMO=1 is not set. Nothing was written.")
    _require_own_data(app_settings)
    if db.session.scalars(select(Workspace.id).limit(1)).first() is not None or app_settings.is_public_demo:
        return f"{update_addresses(app_settings, app_settings.demo)} addresses updated"
    add_demo(app_settings, app_settings.demo, now)
    db.session.commit()
    return "workspaces added"


def _require_own_data(app_settings: AppSettings) -> None:
    """Keep what people entered into a private demo away from the internet, and the other way round."""
    is_of_visit = exists().where(DemoVisit.workspace_id == Workspace.id)
    foreign = ~is_of_visit if app_settings.is_public_demo else is_of_visit
    if db.session.scalars(select(Workspace.id).where(foreign).limit(1)).first() is not None:
        kinds = ("private", "public") if app_settings.is_public_demo else ("public", "private")
        raise Misconfigured("This data belongs to a {} demo. Give the {} demo a DATA_DIR of its own.".format(*kinds))


def add_demo(app_settings: AppSettings, demo: Demo, now: datetime) -> None:
    """Add the demo's workspaces, and its accounts if they are missing. The caller commits."""
    accounts = {role: find_demo_account(role) or _add_account(role, now) for role in Role}
    for (slug, name), planned in WORKSPACES.items():
        workspace = add_workspace(slug, name, now - AGE)
        for role, account in accounts.items():
            set_role(workspace, account, role)
        addresses, cipher = ReceiverAddresses(demo), app_settings.cipher
        added = add_destinations(workspace, accounts[Role.ADMIN], planned, addresses, cipher, now, AGE)
        add_year([destination for destination, _ in added], accounts[Role.ADMIN], accounts[Role.SUPPORT], demo, now)
        add_recent_tests(workspace, accounts[Role.ADMIN], added, demo, now)
        add_real_alerts(workspace, now)
        db.session.add(plan_drills(workspace, now))
    _add_deleted(app_settings, demo, accounts, now)


def fill_workspace(
    workspace: Workspace,
    admin: Account,
    planned: Sequence[Planned],
    addresses: ReceiverAddresses,
    cipher: SettingsCipher,
    now: datetime,
) -> None:
    """Add destinations and their earlier tests. addresses: where the destinations lead. The caller commits."""
    added = add_destinations(workspace, admin, planned, addresses, cipher, now, FIRST_ADDED)
    add_recent_tests(workspace, admin, added, addresses.demo, now)


def _add_deleted(app_settings: AppSettings, demo: Demo, accounts: Mapping[Role, Account], now: datetime) -> None:
    """Add the destination that was deleted in the past year, after all others, whose ids it leaves as they are."""
    slug, _ = next(iter(WORKSPACES))
    workspace = db.session.scalars(select(Workspace).where(Workspace.slug == slug)).one()
    admin, plan = accounts[Role.ADMIN], Planned(DELETED, "webhook", "webhook/gone")
    gone = add_destination(workspace, plan, admin, ReceiverAddresses(demo), app_settings.cipher, now - AGE)
    erase_search_keys(gone)
    add_year([gone], admin, accounts[Role.SUPPORT], demo, now)


def _add_account(role: Role, now: datetime) -> Account:
    account = add_account(f"{role}@demo.invalid", f"Demo {role}", None, now)
    account.is_instance_admin = role is Role.ADMIN  # so that visitors can look at the instance's pages
    if role is Role.ADMIN:  # so that the inbox shows the mails about problems; the others can try to confirm theirs
        account.email_verified_at = now
    return account
