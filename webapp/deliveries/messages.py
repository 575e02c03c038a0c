"""What a delivery says, as its channel will say it."""

import secrets
from collections.abc import Mapping
from datetime import datetime

from webapp.channels.contract import Message
from webapp.extensions import db
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, AlertRule, Workspace
from webapp.settings import AppSettings

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0, O, 1, I, L, U: references are read aloud."""

PREVIEW_VALUES = {"message_id": "msg_sample", "reference": "SAMPLE"}
"""What stands for what every test send gets anew; its L is in no reference."""


def write_payload(destination: AlertDestination, account: Account, now: datetime) -> dict[str, str]:
    """Write down what a test send pressed now says."""
    workspace = db.session.get_one(Workspace, destination.workspace_id)
    return {
        "message_id": f"msg_{secrets.token_hex(12)}",
        "reference": "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(6)),
        "workspace": workspace.name,
        "destination": destination.name,
        "requested_by": account.name,
        "requested_at": now.isoformat(),
    }


def compose_preview(
    destination: AlertDestination, account: Account, app_settings: AppSettings, now: datetime
) -> Message:
    """Make the message of a test send pressed now, without one. Its link is of no delivery."""
    return _read_payload(write_payload(destination, account, now) | PREVIEW_VALUES, 0, app_settings)


def read_message(delivery: AlertDelivery, app_settings: AppSettings) -> Message:
    """Read the message of a test send from its payload, or make the one of a real alert."""
    if delivery.event_type != TEST_EVENT:
        return _make_alert(delivery)
    return _read_payload(delivery.payload, delivery.id, app_settings)


def _read_payload(written: Mapping[str, str], delivery_id: int, app_settings: AppSettings) -> Message:
    payload = dict(written)
    requested_at = datetime.fromisoformat(payload.pop("requested_at"))
    # Made anew for each attempt and kept nowhere: whoever reads our rows or logs has not seen the message.
    reference = payload.get("reference")
    link = app_settings.links.make(delivery_id, reference) if reference else None
    return Message(event_type=TEST_EVENT, requested_at=requested_at, receipt_link=link, **payload)


def _make_alert(delivery: AlertDelivery) -> Message:
    """Make it of the rule and of the payload's title, if it has one: who wrote the payload put in what they liked."""
    rule = db.session.get_one(AlertRule, delivery.alert_rule_id)
    payload = delivery.payload if isinstance(delivery.payload, dict) else {}
    return Message(
        event_type=delivery.event_type,
        message_id=f"msg_alert_{delivery.id}",
        reference=f"alert {delivery.id}",
        workspace=db.session.get_one(Workspace, delivery.workspace_id).name,
        destination=delivery.destination.name,
        requested_by=rule.name,
        requested_at=delivery.created_at,
        alert=str(payload.get("title") or rule.name),
    )
