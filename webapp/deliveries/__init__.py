"""A delivery's life: requested, sent, recovered. The only code that writes `alert_deliveries`."""

from webapp.deliveries.listing import list_test_sends
from webapp.deliveries.recovery import end_overdue, recover
from webapp.deliveries.requesting import DestinationDisabled, fail_unqueued, request_test
from webapp.deliveries.sending import send

__all__ = [
    "DestinationDisabled",
    "end_overdue",
    "fail_unqueued",
    "list_test_sends",
    "recover",
    "request_test",
    "send",
]
