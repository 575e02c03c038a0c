"""Assesses what a deletion would end, so that the page can show it before the deletion."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select

from webapp.deliveries.badge import Badge, badge_for
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.deliveries.queries import count_test_sends, is_delivery_of
from webapp.deliveries.requesting.planned_test_transitions import find_planned_test
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, AlertRule

# A rule counts as using the destination if it sent an alert there within this period.
RECENT_PERIOD = timedelta(days=30)


@dataclass(frozen=True)
class DeletionImpact:
    """What a deletion ends, and what it keeps.

    rules: names of the rules that recently sent alerts to the destination, in alphabetical order.
    has_pending_test, has_planned_test: whether a pending or planned test would be canceled.
    test_sends: the number of test sends that stay in the history.
    """

    rules: Sequence[str]
    has_pending_test: bool
    has_planned_test: bool
    test_sends: int


def assess_deletion(destination: AlertDestination, now: datetime) -> DeletionImpact:
    """Return the impact of deleting a destination. Executes four queries."""
    newest = find_newest_test(destination)
    return DeletionImpact(
        rules=_list_rules(destination, now - RECENT_PERIOD),
        has_pending_test=newest is not None and badge_for(newest.status) is Badge.PENDING,
        has_planned_test=find_planned_test(destination, now) is not None,
        test_sends=count_test_sends(destination),
    )


def _list_rules(destination: AlertDestination, since: datetime) -> Sequence[str]:
    has_sent = exists().where(
        is_delivery_of(destination),
        AlertDelivery.event_type == AlertRule.event_type,  # lets the index find the newest rows directly
        AlertDelivery.created_at >= since,
        AlertDelivery.alert_rule_id == AlertRule.id,
    )
    in_workspace = AlertRule.workspace_id == destination.workspace_id
    return db.session.scalars(select(AlertRule.name).where(in_workspace, has_sent).order_by(AlertRule.name)).all()
