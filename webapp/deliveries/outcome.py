"""LastTestStatus: a destination's badge and its explanation, derived from the newest test send and never stored."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webapp.channels import CHANNELS
from webapp.failures import EXPLANATIONS, Code
from webapp.models import AlertDelivery, DeliveryStatus, Receipt
from webapp.text.names import isolate_name


class Badge(StrEnum):
    """The four states that a page shows."""

    NEVER = "never"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


def badge_for(newest: DeliveryStatus | None) -> Badge:
    """Return the badge for the status of the newest test send; None if there is none."""
    match newest:
        case None:
            return Badge.NEVER
        case DeliveryStatus.QUEUED | DeliveryStatus.DEFERRED:
            return Badge.PENDING
        case DeliveryStatus.SENT:
            return Badge.SENT
        case DeliveryStatus.FAILED | DeliveryStatus.CANCELED | DeliveryStatus.SUPPRESSED:
            return Badge.FAILED


@dataclass(frozen=True)
class Outcome:
    """The badge and its explanation.

    at: the time shown; None without a test. at_label: what that time means, where the badge does not show it.
    sentence: what happened, as far as it is known. next_step: what to do, or None.
    may_have_arrived: the receiver may have the message although the badge is not Sent.
    """

    badge: Badge
    at: datetime | None
    sentence: str
    next_step: str | None = None
    may_have_arrived: bool = False
    at_label: str = ""


def describe_outcome(newest: AlertDelivery | None, channel_name: str) -> Outcome:
    """Describe the outcome of a delivery; None means that the destination was never tested."""
    if newest is None:
        return Outcome(Badge.NEVER, None, "No test has been sent yet.")
    match badge_for(newest.status):
        case Badge.PENDING:
            return _describe_pending(newest)
        case Badge.SENT:
            return _describe_sent(newest, channel_name)
    not_sent = "" if newest.status is DeliveryStatus.FAILED else "Not sent. "
    return _describe_failed(newest, channel_name, f"{not_sent}{_reason(newest)}")


def describe_status(delivery: AlertDelivery) -> str:
    """Return the status of a delivery in the words of the badge, with the stored status where it says more.

    A badge shows tests only, so a real alert has the stored status alone.
    """
    badge, status = badge_for(delivery.status), delivery.status
    if delivery.alert_rule_id is not None or badge.value == status.value:
        return status.capitalize()
    return f"{badge.capitalize()} ({status})"


def describe_arrival(newest: AlertDelivery | None, format_name: Callable[[str], str] = isolate_name) -> str:
    """Describe whether the message arrived, as far as it is known. format_name: marks a name inside the sentence."""
    if newest is None:
        return "Nothing has been sent yet."
    receipt = _describe_receipt(newest, format_name)
    if receipt:
        return receipt
    match badge_for(newest.status):
        case Badge.PENDING:
            return "Not known yet: the test is still running."
        case Badge.SENT:
            return "The receiver accepted it. Check at the destination whether it is shown."
    code = known_code(newest.last_error_code)
    if code is not None and EXPLANATIONS[code].may_have_arrived:
        return "Unknown. Check whether the message arrived before you send another test."
    return "No: nothing was delivered."


def _describe_receipt(newest: AlertDelivery, format_name: Callable[[str], str]) -> str | None:
    if newest.receipt is None:
        return None
    who = format_name(newest.receipt_by) if newest.receipt_by else None
    if newest.receipt is Receipt.MISSING:
        return f"{who} reported that it did not arrive."
    return f"Yes: {who} has seen it." if who else "Yes: confirmed through the link in it."


def _describe_pending(newest: AlertDelivery) -> Outcome:
    last_error = _message(newest)
    next_attempt = f"Attempt {(newest.attempt_count or 0) + 1}"
    if newest.send_after is not None:
        sentence = f"{last_error} {next_attempt} is next.".strip()
        return Outcome(Badge.PENDING, newest.send_after, sentence, at_label="next attempt")
    if newest.attempt_started_at is not None:
        sending = f"{last_error} Attempt {newest.attempt_count} is running." if last_error else "Sending now."
        return Outcome(Badge.PENDING, newest.created_at, sending, at_label="requested")
    first_attempt = "Waiting for a worker to pick it up." if newest.alert_rule_id is None else "Waiting to be sent."
    waiting = f"{last_error} {next_attempt} is waiting for a worker." if last_error else first_attempt
    return Outcome(Badge.PENDING, newest.created_at, waiting, at_label="waiting since")


def _describe_sent(newest: AlertDelivery, channel_name: str) -> Outcome:
    channel = CHANNELS.get(channel_name)
    accepted = channel.accepted if channel else "Accepted"
    warning = f" {_message(newest)}".rstrip()
    return Outcome(Badge.SENT, newest.sent_at, f"{accepted}.{warning}", channel.after_accepted if channel else None)


def _describe_failed(newest: AlertDelivery, channel_name: str, sentence: str) -> Outcome:
    code = known_code(newest.last_error_code)
    return Outcome(
        Badge.FAILED,
        newest.updated_at,
        sentence,
        next_step(code, channel_name) if code else None,
        code is not None and EXPLANATIONS[code].may_have_arrived,
    )


def _reason(newest: AlertDelivery) -> str:
    return _message(newest) or newest.last_error_code or "No reason was recorded."


def _message(newest: AlertDelivery) -> str:
    # Another program may have written anything into a real alert's row. Rows that we sent also have `attempts`.
    is_ours = newest.alert_rule_id is None or newest.attempts is not None
    return (newest.last_error_message or "") if is_ours else ""


def known_code(text: str | None) -> Code | None:
    """Return the code of a stored value; None if this version does not know it."""
    return next((code for code in Code if code == text), None)


def next_step(code: Code, channel_name: str) -> str:
    """Return the next step for a code: the channel's own hint if it has one, else the general one."""
    channel = CHANNELS.get(channel_name)
    return (channel.hints.get(code) if channel else None) or EXPLANATIONS[code].next_step
