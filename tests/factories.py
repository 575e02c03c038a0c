"""Rows for tests: two workspaces with a destination each; an admin, a support member, a viewer and a stranger."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from itsdangerous import Signer
from sqlalchemy import select

from tests.cheap_hashes import CHEAP
from webapp.auth.accounts import add_account
from webapp.auth.customer_tokens import hash_token
from webapp.auth.one_time_tokens import hash_token as hash_one_time_token
from webapp.auth.passwords import load_password
from webapp.deliveries.attempts.claim_record import keep_record
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import (
    TEST_EVENT,
    Account,
    AlertDelivery,
    AlertDestination,
    AlertRule,
    AuditEvent,
    CustomerLink,
    DeliveryStatus,
    Invitation,
    Role,
    Tenant,
    Workspace,
)
from webapp.settings import AppSettings
from webapp.workspaces.invitations import COPIED
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SIGNING_SECRET = "whsec_" + "QUxFUlRDSEVDSy1DQU5BUlktU0lHTklORy1LRVk="
SECRET_PATH = "/hook/canary-7f3a9c"

OWNER = "owner@example.com"
PASSWORD = "correct horse battery"
CHEAP_HASH = CHEAP.hash(PASSWORD)


@dataclass(frozen=True)
class SeededIds:
    """Ids of the seeded rows. A test and its requests do not share a database session, so rows cannot be shared."""

    harbor: int
    clinic: int
    admin: int
    support: int
    viewer: int
    stranger: int
    destination: int
    foreign_destination: int


def seed_workspaces(app_settings: AppSettings, receiver: str) -> SeededIds:
    """Add the workspaces, accounts and destinations. receiver: the origin of the destinations' addresses."""
    harbor = add_workspace("harbor", "Harbor Logistics", NOW)
    clinic = add_workspace("clinic", "Mill Street Clinic", NOW)
    people = {
        name: add_account(f"{name}@example.com", name.capitalize(), None, NOW)
        for name in ("admin", "support", "viewer", "stranger")
    }
    for role in Role:
        set_role(harbor, people[role], role)
    set_role(clinic, people["stranger"], Role.ADMIN)
    settings = {"address": f"{receiver}{SECRET_PATH}", "signing_secret": SIGNING_SECRET}
    own = add_destination(harbor, people["admin"], "webhook", "Ticket system", settings, app_settings.cipher, NOW)
    foreign = add_destination(clinic, people["stranger"], "webhook", "Lab system", settings, app_settings.cipher, NOW)
    ids = {name: account.id for name, account in people.items()}
    return SeededIds(harbor=harbor.id, clinic=clinic.id, destination=own.id, foreign_destination=foreign.id, **ids)


def add_owner(seeded: SeededIds, email: str = OWNER) -> int:
    """Add an admin of the harbor workspace who signs in with `PASSWORD`; return the account's id."""
    account = add_account(email, email.partition("@")[0].capitalize(), None, NOW)
    account.password_hash = CHEAP_HASH
    set_role(db.session.get_one(Workspace, seeded.harbor), account, Role.ADMIN)
    db.session.commit()
    return account.id


def is_password_of(account: Account, password: str) -> bool:
    """Check the password of an account."""
    return load_password(account.email).is_right(password)


def add_delivery(destination: AlertDestination, **facts: Any) -> AlertDelivery:
    """Add a delivery: by default a queued test send created at `NOW`."""
    delivery = make_delivery(destination, **facts)
    db.session.add(delivery)
    db.session.commit()
    return delivery


def make_delivery(destination: AlertDestination, **facts: Any) -> AlertDelivery:
    """Return the row that `add_delivery` would add."""
    values: dict[str, Any] = {
        "event_type": TEST_EVENT,
        "status": DeliveryStatus.QUEUED,
        "attempt_count": 0,
        "settings_version": destination.settings_version,
        "payload": {},
        "created_at": NOW,
    } | facts
    values.setdefault("updated_at", values["created_at"])
    return AlertDelivery(workspace_id=destination.workspace_id, alert_destination_id=destination.id, **values)


def add_real_alert(destination: AlertDestination, **facts: Any) -> AlertDelivery:
    """Add a real alert's delivery, with a tenant and a rule of its own."""
    tenant = Tenant(workspace_id=destination.workspace_id, name="A customer", created_at=NOW)
    rule = AlertRule(
        workspace_id=destination.workspace_id, name="A rule", event_type="heartbeat.missing", created_at=NOW
    )
    db.session.add_all([tenant, rule])
    db.session.flush()
    return add_delivery(
        destination, **({"event_type": rule.event_type, "tenant_id": tenant.id, "alert_rule_id": rule.id} | facts)
    )


def sign_customer_token(key: str, name: str = "Zm9yIGEgY3VzdG9tZXI") -> str:
    """Return the token of a customer's link in an installation with this key."""
    return Signer(key, salt="customer link", key_derivation="hmac", digest_method=hashlib.sha256).sign(name).decode()


def find_session_key(key: str, sign_in_id: str) -> str:
    """Return how the account page of an installation with this key names a session."""
    hash_key = hashlib.sha256(b"alertcheck sign-in\0" + key.encode()).digest()
    return hmac.new(hash_key, f"session\0{sign_in_id}".encode(), hashlib.sha256).hexdigest()[:32]


def add_customer_link(seeded: SeededIds, token: str, account_id: int, now: datetime) -> CustomerLink:
    """Add a customer's link to the harbor's destination, valid for an hour."""
    link = CustomerLink(
        workspace_id=seeded.harbor,
        destination_id=seeded.destination,
        destination_type="webhook",
        account_id=account_id,
        token_hash=hash_token(token),
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    db.session.add(link)
    db.session.commit()
    return link


def add_invitation(seeded: SeededIds, token: str, now: datetime, email: str | None = None) -> Invitation:
    """Add an invitation of the harbor's admin, valid for an hour. email: None for whoever has its link."""
    invitation = Invitation(
        workspace_id=seeded.harbor,
        account_id=seeded.admin,
        role=Role.SUPPORT,
        email=email,
        token_hash=hash_one_time_token(token, COPIED),
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    db.session.add(invitation)
    db.session.commit()
    return invitation


def get_workspace(seeded: SeededIds) -> Workspace:
    return db.session.get_one(Workspace, seeded.harbor)


def get_destination(seeded: SeededIds) -> AlertDestination:
    return db.session.get_one(AlertDestination, seeded.destination)


def get_account(seeded: SeededIds) -> Account:
    return db.session.get_one(Account, seeded.admin)


def list_events(workspace_id: int | None) -> Sequence[AuditEvent]:
    """Fetch the audit events of a workspace, or of the installation, newest first."""
    of_trail = AuditEvent.workspace_id == workspace_id
    return db.session.scalars(select(AuditEvent).where(of_trail).order_by(AuditEvent.id.desc())).all()


def begin_claim_record() -> None:
    """Begin a record of claims that is older than every row, as in an installation that was never restored."""
    keep_record(datetime(2020, 1, 1, tzinfo=UTC))


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


on_both_databases = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
