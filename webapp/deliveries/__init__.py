"""A delivery's life: requested, sent, recovered. The only code that writes `alert_deliveries`."""

from webapp.deliveries.attempts import PastAttempt, list_attempts
from webapp.deliveries.claiming import get_channel, open_settings
from webapp.deliveries.messages import make_sample
from webapp.deliveries.queries import list_test_sends
from webapp.deliveries.ready_deliveries import list_errands
from webapp.deliveries.receipts import find_linked, is_in_question, record_by_link, record_by_member
from webapp.deliveries.recovery import end_overdue, is_overdue, list_overdue, recover
from webapp.deliveries.requesting import DestinationDisabled, fail_unqueued, request_test
from webapp.deliveries.retention import Retention
from webapp.deliveries.sending import send
from webapp.deliveries.wait_tracker import Sightings

__all__ = [
    "DestinationDisabled",
    "PastAttempt",
    "Retention",
    "Sightings",
    "end_overdue",
    "fail_unqueued",
    "find_linked",
    "get_channel",
    "is_in_question",
    "is_overdue",
    "list_attempts",
    "list_errands",
    "list_overdue",
    "list_test_sends",
    "make_sample",
    "open_settings",
    "record_by_link",
    "record_by_member",
    "recover",
    "request_test",
    "send",
]
