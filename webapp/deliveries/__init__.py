"""Requests, sends and recovers deliveries. The only package that writes `alert_deliveries`."""

from webapp.deliveries.attempts.claim_record import discard_if_incomplete, keep_record_sometimes
from webapp.deliveries.attempts.claiming import get_channel, open_settings
from webapp.deliveries.attempts.past_attempts import PastAttempt, list_attempts
from webapp.deliveries.attempts.ready_deliveries import list_ready_deliveries
from webapp.deliveries.attempts.sending import SendGroups, open_groups, send
from webapp.deliveries.messages import compose_preview
from webapp.deliveries.queries import list_test_sends
from webapp.deliveries.receipts import (
    can_be_confirmed,
    find_linked,
    record_by_customer_link,
    record_by_link,
    record_by_member,
    record_for_customer,
)
from webapp.deliveries.recovery.page_recovery import end_if_overdue, end_overdue_tests, is_worker_seen
from webapp.deliveries.recovery.wait_tracker import WaitTracker
from webapp.deliveries.recovery.worker_recovery import Recovery
from webapp.deliveries.requesting.cooldown import CoolingDown
from webapp.deliveries.requesting.planned_test_creation import plan_test
from webapp.deliveries.requesting.request_rules import DestinationDisabled, WantedTest
from webapp.deliveries.requesting.writing import fail_unqueued, request_test, request_tests
from webapp.deliveries.retention import Retention

__all__ = [
    "CoolingDown",
    "DestinationDisabled",
    "PastAttempt",
    "Recovery",
    "Retention",
    "SendGroups",
    "WaitTracker",
    "WantedTest",
    "can_be_confirmed",
    "compose_preview",
    "discard_if_incomplete",
    "end_if_overdue",
    "end_overdue_tests",
    "fail_unqueued",
    "find_linked",
    "get_channel",
    "is_worker_seen",
    "keep_record_sometimes",
    "list_attempts",
    "list_ready_deliveries",
    "list_test_sends",
    "open_groups",
    "open_settings",
    "plan_test",
    "record_by_customer_link",
    "record_by_link",
    "record_by_member",
    "record_for_customer",
    "request_test",
    "request_tests",
    "send",
]
