"""Decides how long the open page of a destination asks what others do: who sees its test, what a customer sends."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.app_state import app_state
from webapp.deliveries import can_be_confirmed
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.models import Receipt

# How long after the send a page asks.
WATCH_TIME = timedelta(minutes=10)

# Seconds between two polls: whoever presses the link sees it on the page within two seconds.
INTERVAL = 1.0

# The same while a customer may press the button of a link: member and customer often talk to each other meanwhile.
LINK_INTERVAL = 3.0


@dataclass(frozen=True)
class ReceiptWatch:
    """What the fragment needs.

    shown: what the page shows of it: the test, if a customer requested it, and the time of its receipt; may be empty.
    poll_ms: milliseconds until the next poll, or None if nothing is awaited any more.
    """

    shown: str
    poll_ms: int | None

    def is_news(self, shown: str) -> bool:
        """Return whether a page that shows an earlier state lacks a receipt, or a customer's test."""
        return self.shown not in ("", shown)


def watch_receipt(newest: AnyDelivery | None, now: datetime, has_link: bool = False) -> ReceiptWatch:
    """Return what to ask about the newest test send, within the process's poll budget.

    has_link: whether the destination has a customer's link that works.
    """
    interval = INTERVAL if is_awaited(newest, now) else LINK_INTERVAL if has_link else None
    poll_ms = round(1000 * app_state().poll_budget.next_interval(interval)) if interval else None
    return ReceiptWatch(_describe(newest) if newest else "", poll_ms)


def _describe(newest: AnyDelivery) -> str:
    test = str(newest.id) if newest.by_customer_link else ""
    return f"{test} {newest.receipt_at.isoformat() if newest.receipt_at else ''}".strip()


def is_awaited(newest: AnyDelivery | None, now: datetime) -> bool:
    """Return whether somebody may still confirm the newest test send within `WATCH_TIME`."""
    if newest is None or newest.receipt is Receipt.SEEN or not can_be_confirmed(newest):
        return False
    return now - (newest.sent_at or newest.updated_at) < WATCH_TIME
