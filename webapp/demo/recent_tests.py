"""The tests of the demo's last weeks, as people pressed them: they give the destinations their badges."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from webapp.audit import Action, record_destination_event
from webapp.deliveries.attempts.past_attempts import PastAttempt, add_attempt
from webapp.demo.seed_plan import PastTest, Planned
from webapp.environment.demo_hosts import SERVICE_HOSTS
from webapp.extensions import db
from webapp.failures import Code, Facts, describe
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, DeliveryStatus, Workspace
from webapp.settings import Demo

_RECEIVER_STATUSES: dict[Code | None, int] = {Code.REMOTE_UNAVAILABLE: 503, Code.RECIPIENTS_REFUSED: 550}


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
