"""LastTestStatus: what a destination's badge says, derived from its newest test send and never stored."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webapp.channels import CHANNELS
from webapp.failures import EXPLANATIONS, Code
from webapp.models import AlertDelivery, DeliveryStatus, Receipt


class Badge(StrEnum):
    """The four answers."""

    NEVER = "never"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


def badge_for(newest: DeliveryStatus | None) -> Badge:
    """Say what the badge says, by where the newest test send stands."""
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
    """The badge, and what a person needs to know beside it.

    at: the time shown, or None if there was no test. at_label: what that time is, where the badge does not say it.
    sentence: what happened, as far as it is known.
    next_step: what to do about it, or None.
    may_have_arrived: the message may be at the far end although the badge does not say Sent.
    """

    badge: Badge
    at: datetime | None
    sentence: str
    next_step: str | None = None
    may_have_arrived: bool = False
    at_label: str = ""


def describe_outcome(newest: AlertDelivery | None, channel_name: str) -> Outcome:
    """Say what the newest test send means, or any other delivery. No row: never tested."""
    if newest is None:
        return Outcome(Badge.NEVER, None, "No test has been sent yet.")
    match badge_for(newest.status):
        case Badge.PENDING:
            return _describe_pending(newest)
        case Badge.SENT:
            return _describe_sent(newest, channel_name)
    not_sent = "" if newest.status is DeliveryStatus.FAILED else "Not sent. "
    return _describe_failed(newest, channel_name, f"{not_sent}{_reason(newest)}")


def describe_arrival(newest: AlertDelivery | None) -> str:
    """Say whether the message arrived, as far as anybody knows."""
    if newest is None:
        return "Nothing was sent yet."
    receipt = _describe_receipt(newest)
    if receipt:
        return receipt
    match badge_for(newest.status):
        case Badge.PENDING:
            return "Not known yet: the test is under way."
        case Badge.SENT:
            return "It was accepted. Only someone who looks there can tell whether it is shown."
    code = known_code(newest.last_error_code)
    if code is not None and EXPLANATIONS[code].may_have_arrived:
        return "Perhaps: it is not known. Look there before you press again."
    return "No: nothing was delivered."


def _describe_receipt(newest: AlertDelivery) -> str | None:
    if newest.receipt is None:
        return None
    if newest.receipt is Receipt.MISSING:
        return f"{newest.receipt_by} says that it did not arrive."
    return f"Yes: {newest.receipt_by} has seen it." if newest.receipt_by else "Yes: somebody pressed the link in it."


def _describe_pending(newest: AlertDelivery) -> Outcome:
    so_far = _message(newest)
    again = f"Attempt {(newest.attempt_count or 0) + 1}"
    if newest.send_after is not None:
        return Outcome(Badge.PENDING, newest.send_after, f"{so_far} {again} is next.".strip(), at_label="next try")
    if newest.attempt_started_at is not None:
        now_sending = f"{so_far} Attempt {newest.attempt_count} is on its way." if so_far else "Sending now."
        return Outcome(Badge.PENDING, newest.created_at, now_sending, at_label="pressed")
    pick_up = "Waiting for a worker to pick it up." if newest.alert_rule_id is None else "Waiting to be sent."
    waiting = f"{so_far} {again} waits for a worker." if so_far else pick_up
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
    # What another program wrote into a real alert's row may quote anything; ours keeps its attempts beside it.
    is_ours = newest.alert_rule_id is None or newest.attempts is not None
    return (newest.last_error_message or "") if is_ours else ""


def known_code(text: str | None) -> Code | None:
    """Read a stored code; one that an older version wrote may be unknown."""
    return next((code for code in Code if code == text), None)


def next_step(code: Code, channel_name: str) -> str:
    """Say what to do, in the words of the channel's own service where it has any for this code."""
    channel = CHANNELS.get(channel_name)
    return (channel.hints.get(code) if channel else None) or EXPLANATIONS[code].next_step
