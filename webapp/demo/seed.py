"""Adds the demo's data: two workspaces whose destinations show every badge and the typical outcomes of a test."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import exists, select

from webapp.app_state import current_settings
from webapp.audit import Action, record_destination_event
from webapp.auth.accounts import add_account, add_workspace, set_role
from webapp.channels import CHANNELS
from webapp.channels.fields import Field, FieldKind
from webapp.deliveries.attempts import PastAttempt, add_attempt
from webapp.demo.address_update import update_addresses
from webapp.demo.drill_schedule import plan_drills
from webapp.demo.past_year import AGE, DELETED, STORIES, add_year
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.demo.seed_plan import WORKSPACES, PastTest, Planned
from webapp.destinations.editing import insert_destination
from webapp.destinations.search_index import erase_search_keys
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.environment.demo_hosts import SERVICE_HOSTS
from webapp.environment.model import Misconfigured
from webapp.extensions import db
from webapp.failures import Code, Facts, describe
from webapp.models import (
    TEST_EVENT,
    Account,
    AlertDelivery,
    AlertDestination,
    AlertRule,
    DeliveryStatus,
    DemoVisit,
    Role,
    Tenant,
    Workspace,
)
from webapp.settings import AppSettings, Demo

# How long ago the first destination was added: before its earliest test.
FIRST_ADDED = timedelta(days=31)

_RECEIVER_STATUSES: dict[Code | None, int] = {Code.REMOTE_UNAVAILABLE: 503, Code.RECIPIENTS_REFUSED: 550}


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
        _add_real_alerts(workspace, now)
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


def add_destinations(
    workspace: Workspace,
    admin: Account,
    planned: Sequence[Planned],
    addresses: ReceiverAddresses,
    cipher: SettingsCipher,
    now: datetime,
    age: timedelta,
) -> list[tuple[AlertDestination, Planned]]:
    """Add destinations without tests. age: how long those that have a story exist. The caller commits."""
    return [
        (
            _add(
                *(workspace, plan, admin, addresses, cipher),
                now - (age if plan.name in STORIES else FIRST_ADDED) + timedelta(minutes=position),
            ),
            plan,
        )
        for position, plan in enumerate(planned)
    ]


def add_recent_tests(
    workspace: Workspace,
    admin: Account,
    added: Sequence[tuple[AlertDestination, Planned]],
    demo: Demo,
    now: datetime,
) -> None:
    """Add the tests of the last weeks, in the order of time, like all that the audit trail records."""
    for position, (destination, plan) in reversed(list(enumerate(added))):
        _add_past(destination, plan, workspace, admin, demo, now - timedelta(hours=20 + 3 * position))


def _add_deleted(app_settings: AppSettings, demo: Demo, accounts: Mapping[Role, Account], now: datetime) -> None:
    """Add the destination that was deleted in the past year, after all others, whose ids it leaves as they are."""
    slug, _ = next(iter(WORKSPACES))
    workspace = db.session.scalars(select(Workspace).where(Workspace.slug == slug)).one()
    admin, plan = accounts[Role.ADMIN], Planned(DELETED, "webhook", "webhook/gone")
    gone = _add(workspace, plan, admin, ReceiverAddresses(demo), app_settings.cipher, now - AGE)
    erase_search_keys(gone)
    add_year([gone], admin, accounts[Role.SUPPORT], demo, now)


def _add_account(role: Role, now: datetime) -> Account:
    account = add_account(f"{role}@demo.invalid", f"Demo {role}", None, now)
    account.is_instance_admin = role is Role.ADMIN  # so that visitors can look at the instance's pages
    return account


def _add(
    workspace: Workspace,
    plan: Planned,
    admin: Account,
    addresses: ReceiverAddresses,
    cipher: SettingsCipher,
    at: datetime,
) -> AlertDestination:
    settings = _make_settings(plan, addresses)
    return insert_destination(workspace, admin, plan.channel, plan.name, settings, cipher, at)


def _add_past(
    destination: AlertDestination, plan: Planned, workspace: Workspace, admin: Account, demo: Demo, at: datetime
) -> None:
    """Add the tests and the changes of a destination until now. at: when it was last tested."""
    host = urlsplit(demo.find_origin(plan.channel)).hostname if plan.channel in SERVICE_HOSTS else demo.mail_host
    for age, code in enumerate(reversed(plan.before), start=1):
        earlier = PastTest(code, _RECEIVER_STATUSES.get(code, 200))
        db.session.add(_past_test_send(destination, earlier, workspace, admin, host, at - timedelta(days=2 * age)))
    if plan.was_changed:
        destination.updated_at = at - timedelta(hours=3)
        record_destination_event(destination, admin, Action.CHANGED, destination.updated_at, ["address"])
    if plan.past:
        db.session.add(_past_test_send(destination, plan.past, workspace, admin, host, at))
    if not plan.is_enabled:
        destination.is_enabled, destination.updated_at = False, at
        record_destination_event(destination, admin, Action.DISABLED, at)


def _make_settings(plan: Planned, addresses: ReceiverAddresses) -> dict[str, str]:
    return {field.name: _make_value(field, plan, addresses) for field in CHANNELS[plan.channel].fields}


def _make_value(field: Field, plan: Planned, addresses: ReceiverAddresses) -> str:
    if field.kind is FieldKind.RECIPIENTS:
        return addresses.get_recipients(plan.to)
    if field is CHANNELS[plan.channel].target_field:
        service, _, scenario = plan.to.partition("/")
        return addresses.get_url(service, scenario, secrets.token_urlsafe(32))
    if field.generate:
        file = addresses.demo.signing_secret_file
        return file.read_text().strip() if file else field.generate()
    return plan.settings.get(field.name) or (
        secrets.token_hex(16) if field.is_secret and field.required else field.default
    )


def _past_test_send(
    destination: AlertDestination, past: PastTest, workspace: Workspace, admin: Account, host: str | None, at: datetime
) -> AlertDelivery:
    if past.code is None:
        status = DeliveryStatus.SENT
    else:
        status = DeliveryStatus.FAILED if past.status else DeliveryStatus.CANCELED
    return AlertDelivery(
        workspace_id=workspace.id,
        alert_destination_id=destination.id,
        event_type=TEST_EVENT,
        status=status,
        sent_at=at if past.code is None else None,
        attempt_count=1 if past.status else 0,
        attempts=_past_attempt(past, at) if past.status else [],
        last_error_code=past.code,
        last_error_message=past.code and describe(past.code, Facts(host=host, status=past.status)),
        answer_status=past.status,
        requested_by_id=admin.id,
        settings_version=1,
        payload={"reference": secrets.token_hex(3).upper()},
        created_at=at,
        updated_at=at,
    )


def _past_attempt(past: PastTest, at: datetime) -> list[dict[str, Any]]:
    return add_attempt([], PastAttempt(1, at, 0.2, past.code, past.status))


def _add_real_alerts(workspace: Workspace, now: datetime) -> None:
    """Add real alerts of a tenant, which do not affect any badge."""
    tenant = Tenant(workspace_id=workspace.id, name="First customer", created_at=now)
    rule = AlertRule(
        workspace_id=workspace.id, name="Heartbeat missing", event_type="heartbeat.missing", created_at=now
    )
    db.session.add_all([tenant, rule])
    db.session.flush()
    destinations = db.session.scalars(select(AlertDestination).where(AlertDestination.workspace_id == workspace.id))
    for number, destination in enumerate(destinations):
        at = now - timedelta(days=2, minutes=7 * number)
        db.session.add(
            AlertDelivery(
                workspace_id=workspace.id,
                tenant_id=tenant.id,
                alert_rule_id=rule.id,
                alert_destination_id=destination.id,
                event_type=rule.event_type,
                status=DeliveryStatus.SENT,
                sent_at=at,
                attempt_count=1,
                payload={"title": rule.name},
                created_at=at,
                updated_at=at,
            )
        )
