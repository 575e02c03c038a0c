"""What is lost when a destination is deleted, so that whoever does it knows before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select

from webapp.deliveries.outcome import Badge, badge_for
from webapp.deliveries.queries import count_test_sends, find_newest_test, is_delivery_of
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, AlertRule

LATELY = timedelta(days=30)


@dataclass(frozen=True)
class DeletionImpact:
    """What a deletion ends, and what it leaves.

    rules: the names of those that sent alerts there lately, in alphabetical order.
    has_pending_test: a test is under way, which would not be sent any more.
    test_sends: how many are on record and stay there.
    """

    rules: Sequence[str]
    has_pending_test: bool
    test_sends: int


def assess_deletion(destination: AlertDestination, now: datetime) -> DeletionImpact:
    """Look up what deleting a destination would end: three queries."""
    newest = find_newest_test(destination)
    return DeletionImpact(
        rules=_list_rules(destination, now - LATELY),
        has_pending_test=newest is not None and badge_for(newest.status) is Badge.PENDING,
        test_sends=count_test_sends(destination),
    )


def _list_rules(destination: AlertDestination, since: datetime) -> Sequence[str]:
    has_sent = exists().where(
        is_delivery_of(destination),
        AlertDelivery.event_type == AlertRule.event_type,  # so that the index leads straight to the newest
        AlertDelivery.created_at >= since,
        AlertDelivery.alert_rule_id == AlertRule.id,
    )
    of_workspace = AlertRule.workspace_id == destination.workspace_id
    return db.session.scalars(select(AlertRule.name).where(of_workspace, has_sent).order_by(AlertRule.name)).all()
