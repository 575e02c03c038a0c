"""The real alerts of the demo: they do not affect any badge."""

from datetime import datetime, timedelta

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, AlertRule, DeliveryStatus, Tenant, Workspace


def add_real_alerts(workspace: Workspace, now: datetime) -> None:
    """Add a tenant, and one real alert of it to each destination."""
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
