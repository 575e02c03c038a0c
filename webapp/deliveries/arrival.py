"""Describes whether a message arrived: what a person reported, or what follows from the outcome."""

from collections.abc import Callable

from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.failures import CHECK_BEFORE_TEST, MEANINGS, Code
from webapp.models import DeliveryStatus, Receipt, ReceiptSource
from webapp.text.names import isolate_name

FormatName = Callable[[str], str]

# Codes of failures after which the message may have arrived all the same.
UNCERTAIN_CODES = frozenset(code.value for code in Code if MEANINGS[code].may_have_arrived)


def is_missing(status: DeliveryStatus | None, receipt: Receipt | None) -> bool:
    """Return whether a message was accepted, but reported missing: whatever its badge, its destination is broken."""
    return status is DeliveryStatus.SENT and receipt is Receipt.MISSING


def is_uncertain(delivery: AnyDelivery) -> bool:
    """Return whether a failed message may have arrived, going by its code."""
    return _is_uncertain(delivery.status, delivery.last_error_code)


def may_have_arrived(status: DeliveryStatus | None, code: str | None) -> bool:
    """Return whether a message was accepted, or failed with a code after which it may have arrived all the same."""
    return status is DeliveryStatus.SENT or _is_uncertain(status, code)


def _is_uncertain(status: DeliveryStatus | None, code: str | None) -> bool:
    return status is DeliveryStatus.FAILED and code in UNCERTAIN_CODES


def describe_receipt(delivery: AnyDelivery, format_name: FormatName = isolate_name) -> str | None:
    """Describe what a person reported, or return None. format_name: marks a name inside the sentence."""
    if delivery.receipt is None:
        return None
    if delivery.receipt is Receipt.MISSING:
        reported = "Sent, but reported" if delivery.status is DeliveryStatus.SENT else "Reported"
        return f"{reported} missing by {describe_reporter(delivery.receipt_source, delivery.receipt_by, format_name)}."
    verb = "Confirmed" if delivery.receipt_source in _CUSTOMERS else "Seen"
    recorded_by = f", recorded by {format_name(delivery.receipt_recorded_by)}" if delivery.receipt_recorded_by else ""
    return f"{verb} by {describe_reporter(delivery.receipt_source, delivery.receipt_by, format_name)}{recorded_by}."


def describe_arrival(
    newest: AnyDelivery | None, format_name: FormatName = isolate_name, is_outdated: bool = False
) -> str:
    """Describe whether the message arrived, as far as it is known.

    is_outdated: the settings were changed since, so there is nothing to check any more.
    """
    if newest is None:
        return "Nothing has been sent yet."
    if newest.receipt is not None:
        who = describe_reporter(newest.receipt_source, newest.receipt_by, format_name)
        is_seen = newest.receipt is Receipt.SEEN
        return f"Yes: {who} has seen it." if is_seen else f"No: {who} reported that it did not arrive."
    known, check = _describe_unreported(newest)
    return known if is_outdated or not check else f"{known} {check}"


def _describe_unreported(newest: AnyDelivery) -> tuple[str, str]:
    """Return what is known, and what to check."""
    match newest.status:
        case DeliveryStatus.QUEUED | DeliveryStatus.DEFERRED:
            return "Not known yet: the test is still running.", ""
        case DeliveryStatus.SENT:
            return "The receiver accepted it.", "Check at the destination whether it is shown."
    if is_uncertain(newest):
        return "Unknown.", CHECK_BEFORE_TEST
    return "No: nothing was delivered.", ""


_CUSTOMERS = (ReceiptSource.CUSTOMER, ReceiptSource.CUSTOMER_LINK)


def describe_reporter(source: ReceiptSource | None, by: str | None, format_name: FormatName = isolate_name) -> str:
    """Describe who gave a receipt, within a sentence. by: their name, if known."""
    name = format_name(by) if by else ""
    if source in _CUSTOMERS:
        return f"the customer {name}".rstrip()
    return name or "someone with the link in the message"
