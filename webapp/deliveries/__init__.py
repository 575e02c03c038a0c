"""A delivery's life: requested, sent, recovered. The only code that writes `alert_deliveries`."""

from webapp.deliveries.attempts import PastAttempt, list_attempts
from webapp.deliveries.claiming import get_channel, open_settings
from webapp.deliveries.listing import list_test_sends
from webapp.deliveries.messages import make_sample
from webapp.deliveries.recovery import end_overdue, is_overdue, list_overdue, recover
from webapp.deliveries.requesting import DestinationDisabled, fail_unqueued, request_test
from webapp.deliveries.retention import Retention
from webapp.deliveries.sending import send
from webapp.deliveries.sightings import Sightings

__all__ = [
    "DestinationDisabled",
    "PastAttempt",
    "Retention",
    "Sightings",
    "end_overdue",
    "fail_unqueued",
    "get_channel",
    "is_overdue",
    "list_attempts",
    "list_overdue",
    "list_test_sends",
    "make_sample",
    "open_settings",
    "recover",
    "request_test",
    "send",
]
