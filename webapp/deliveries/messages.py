"""What a delivery says, as its channel will say it."""

from datetime import datetime

from webapp.channels.contract import Message
from webapp.config import Config
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, AlertRule, Workspace


def read_message(delivery: AlertDelivery, config: Config) -> Message:
    """Read the message of a test send from its payload, or make the one of a real alert."""
    if delivery.event_type != TEST_EVENT:
        return _make_alert(delivery)
    payload = dict(delivery.payload)
    requested_at = datetime.fromisoformat(payload.pop("requested_at"))
    # Made anew for each attempt and kept nowhere: whoever reads our rows or logs has not seen the message.
    link = config.links.make(delivery.id, delivery.reference) if delivery.reference else None
    return Message(event_type=delivery.event_type, requested_at=requested_at, receipt_link=link, **payload)


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
