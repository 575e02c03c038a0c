"""Describes whether people have confirmed the newest drill of a destination that needs it."""

from webapp.deliveries.arrival import FormatName, describe_reporter
from webapp.deliveries.badge import Badge, badge_for
from webapp.deliveries.drill_confirmation import CONFIRM_WITHIN, Confirmation
from webapp.failures.certificate import format_date
from webapp.models import Receipt
from webapp.text.names import isolate_name

NO_DRILL = "Needs confirmation: no drill has been sent yet."


def describe_confirmation(confirmation: Confirmation | None, format_name: FormatName = isolate_name) -> str:
    """Return a sentence about a destination that needs confirmation. format_name: marks a name inside the sentence."""
    if confirmation is None:
        return NO_DRILL
    drill = f"the drill of {format_date(confirmation.requested_at)}"
    if confirmation.receipt is not None:
        return f"Needs confirmation: {drill} was {_describe_receipt(confirmation, format_name)}."
    if confirmation.unconfirmed_at is not None:
        since, limit = f"the drill of {format_date(confirmation.unconfirmed_at)}", f"{CONFIRM_WITHIN.days} days"
        return f"Needs confirmation: nobody confirmed {since} within {limit}. Ask whether its message arrived."
    if confirmation.is_awaited:
        return f"Needs confirmation: nobody has confirmed {drill} yet."
    if badge_for(confirmation.status) is Badge.PENDING:
        return f"Needs confirmation: {drill} has not ended yet."
    return f"Needs confirmation: {drill} failed, so there is nothing to confirm."


def _describe_receipt(confirmation: Confirmation, format_name: FormatName) -> str:
    verb = "confirmed" if confirmation.receipt is Receipt.SEEN else "reported missing"
    on = f" on {format_date(confirmation.receipt_at)}" if confirmation.receipt_at else ""
    return f"{verb} by {describe_reporter(confirmation.source, confirmation.by, format_name)}{on}"
