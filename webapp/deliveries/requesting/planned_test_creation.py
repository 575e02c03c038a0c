"""Plans a test for the end of a destination's cooldown."""

from datetime import datetime

from sqlalchemy import delete

from webapp.audit import Action, record_destination_event
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.deliveries.requesting.cooldown import cooldown_end, find_requested_at
from webapp.deliveries.requesting.planned_test_transitions import find_planned_test
from webapp.deliveries.requesting.writing import lock_enabled
from webapp.extensions import db
from webapp.models import Account, AlertDestination, PlannedTest


def plan_test(destination: AlertDestination, account: Account, now: datetime, confirms_paging: bool = False) -> bool:
    """Plan a test for the end of the cooldown, and commit. No delivery exists until then.

    Returns False if one is planned already, whoever planned it. Raises `DestinationDisabled`.
    confirms_paging: whether the account confirmed that the test pages people.
    """
    lock_enabled(destination)
    if find_planned_test(destination, now) is not None:
        db.session.rollback()
        return False
    newest = find_newest_test(destination)
    requested_at = find_requested_at(newest)
    # A new row, not the old one: a worker or a page that still looks at the old one must not find it open again.
    db.session.execute(delete(PlannedTest).where(PlannedTest.alert_destination_id == destination.id))
    db.session.add(
        PlannedTest(
            workspace_id=destination.workspace_id,
            alert_destination_id=destination.id,
            planned_by_id=account.id,
            due_at=cooldown_end(requested_at, now) or now,
            created_at=now,
            confirms_paging=confirms_paging,
        )
    )
    record_destination_event(destination, account, Action.TEST_PLANNED, now)
    db.session.commit()
    return True
