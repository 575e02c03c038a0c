"""A delivery's life: requested, sent, recovered. The only code that writes `alert_deliveries`."""

from webapp.deliveries.listing import list_test_sends
from webapp.deliveries.recovery import end_overdue, is_overdue, recover
from webapp.deliveries.requesting import DestinationDisabled, fail_unqueued, request_test
from webapp.deliveries.retention import Retention
from webapp.deliveries.sending import send
from webapp.deliveries.sightings import Sightings

__all__ = [
    "DestinationDisabled",
    "Retention",
    "Sightings",
    "end_overdue",
    "fail_unqueued",
    "is_overdue",
    "list_test_sends",
    "recover",
    "request_test",
    "send",
]
