"""Composes the message of a delivery, which its channel then renders."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from webapp.channels.message import Message
from webapp.deliveries.claim_candidates import ClaimCandidate
from webapp.extensions import db
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, AlertRule, Workspace
from webapp.settings import AppSettings

# Without 0, O, 1, I, L and U: people read references aloud.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

# Placeholders for the values generated per test send. No real reference equals this one: none contains an L.
PREVIEW_VALUES = {"message_id": "msg_sample", "reference": "SAMPLE"}


# Who requested a drill of the schedule, as the message says.
SCHEDULE = "Schedule of drills"


def write_payload(
    destination: AlertDestination, account: Account | None, now: datetime, is_drill: bool = False
) -> dict[str, Any]:
    """Return the payload of a new test send. account: who requested it; None for the schedule of drills."""
    workspace = db.session.get_one(Workspace, destination.workspace_id)
    return {
        "message_id": f"msg_{secrets.token_hex(12)}",
        "reference": "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(6)),
        "workspace": workspace.name,
        "destination": destination.name,
        "requested_by": account.name if account else SCHEDULE,
        "requested_at": now.isoformat(),
        **({"is_drill": True} if is_drill else {}),
    }


def compose_preview(
    destination: AlertDestination, account: Account, app_settings: AppSettings, now: datetime
) -> Message:
    """Compose the message that a test send would carry now. Its receipt link belongs to no delivery."""
    return _read_payload(write_payload(destination, account, now) | PREVIEW_VALUES, 0, app_settings)


def read_message(delivery: AlertDelivery | ClaimCandidate, app_settings: AppSettings) -> Message:
    """Return the message of a test send, read from its payload, or compose that of a real alert."""
    if delivery.event_type != TEST_EVENT:
        return _compose_alert(delivery, app_settings)
    return _read_payload(delivery.payload, delivery.id, app_settings)


def _read_payload(stored: Mapping[str, Any], delivery_id: int, app_settings: AppSettings) -> Message:
    payload = dict(stored)
    requested_at = datetime.fromisoformat(payload.pop("requested_at"))
    # Made for each attempt and stored nowhere: only a reader of the message may confirm it, not a reader of our rows.
    reference = payload.get("reference")
    link = app_settings.links.make(delivery_id, reference) if reference else None
    return Message(event_type=TEST_EVENT, requested_at=requested_at, receipt_link=link, **payload)


def _compose_alert(delivery: AlertDelivery | ClaimCandidate, app_settings: AppSettings) -> Message:
    """Compose a real alert's message from its rule and the payload's title, if any: the payload may hold anything."""
    rule = db.session.get_one(AlertRule, delivery.alert_rule_id)
    payload = delivery.payload if isinstance(delivery.payload, dict) else {}
    # Mailboxes show one of two messages with the same id, and another installation, or this one after a restore, may
    # use the same sender and the same number.
    origin = app_settings.cipher.fingerprint(f"alert {delivery.id} of {delivery.created_at.isoformat()}")
    return Message(
        event_type=delivery.event_type,
        message_id=f"msg_alert_{delivery.id}_{origin}",
        reference=f"alert {delivery.id}",
        workspace=db.session.get_one(Workspace, delivery.workspace_id).name,
        destination=delivery.destination.name,
        requested_by=rule.name,
        requested_at=delivery.created_at,
        alert=str(payload.get("title") or rule.name),
    )
