"""Decides how long the open page of a destination asks whether somebody has seen its last test."""

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


@dataclass(frozen=True)
class ReceiptWatch:
    """What the fragment needs.

    shown: the time of the receipt that the page shows, or an empty text.
    poll_ms: milliseconds until the next poll, or None if nothing is awaited any more.
    """

    shown: str
    poll_ms: int | None

    def is_news(self, shown: str) -> bool:
        """Return whether a page that shows an earlier state lacks a receipt."""
        return self.shown not in ("", shown)


def watch_receipt(newest: AnyDelivery | None, now: datetime) -> ReceiptWatch:
    """Return what to ask about the newest test send, within the process's poll budget."""
    shown = newest.receipt_at.isoformat() if newest and newest.receipt_at else ""
    poll_ms = round(1000 * app_state().poll_budget.next_interval(INTERVAL)) if is_awaited(newest, now) else None
    return ReceiptWatch(shown, poll_ms)


def is_awaited(newest: AnyDelivery | None, now: datetime) -> bool:
    """Return whether somebody may still confirm the newest test send within `WATCH_TIME`."""
    if newest is None or newest.receipt is Receipt.SEEN or not can_be_confirmed(newest):
        return False
    return now - (newest.sent_at or newest.updated_at) < WATCH_TIME
