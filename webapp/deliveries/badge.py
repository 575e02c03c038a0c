"""A destination's badge and its explanation: derived from its newest test send, and never stored."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from webapp.channels import CHANNELS
from webapp.deliveries.arrival import describe_receipt, is_missing, is_uncertain
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.failures import MEANINGS, Code, drop_arrival_check
from webapp.models import DeliveryStatus, Receipt


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
    may_have_arrived: the receiver may have the message although the badge is not Sent, and nobody has said so.
    receipt, receipt_sentence: what a person reported, or None. is_missing: accepted, but reported missing.
    is_outdated: the settings were changed after the test was requested, so its result does not apply to them.
    """

    badge: Badge
    at: datetime | None
    sentence: str
    next_step: str | None = None
    may_have_arrived: bool = False
    at_label: str = ""
    receipt: Receipt | None = None
    receipt_sentence: str | None = None
    is_missing: bool = False
    is_outdated: bool = False


def describe_outcome(newest: AnyDelivery | None, channel_name: str, settings_version: int | None = None) -> Outcome:
    """Describe the outcome of a delivery; None means that the destination was never tested.

    settings_version: the destination's current one, so that no advice about earlier settings is given; None where the
    outcome is told as history.
    """
    if newest is None:
        return Outcome(Badge.NEVER, None, "No test has been sent yet.")
    outcome = _describe_by_status(newest, channel_name)
    if newest.receipt is not None:
        outcome = _heed_receipt(outcome, newest)
    if settings_version is not None and is_outdated(newest, settings_version):
        return _drop_outdated(outcome, newest)
    return outcome


def is_outdated(delivery: AnyDelivery, settings_version: int) -> bool:
    """Return whether the settings, whose current version is given, were changed after a test was requested."""
    return delivery.settings_version not in (None, settings_version)


def _describe_by_status(newest: AnyDelivery, channel_name: str) -> Outcome:
    match badge_for(newest.status):
        case Badge.PENDING:
            return _describe_pending(newest)
        case Badge.SENT:
            return _describe_sent(newest, channel_name)
    not_sent = "" if newest.status is DeliveryStatus.FAILED else "Not sent. "
    return _describe_failed(newest, channel_name, f"{not_sent}{_reason(newest)}")


def describe_status(delivery: AnyDelivery) -> str:
    """Return the status of a delivery in the words of the badge, with the stored status where it says more.

    A badge shows tests only, so a real alert has the stored status alone.
    """
    badge, status = badge_for(delivery.status), delivery.status
    if delivery.alert_rule_id is not None or badge.value == status.value:
        return status.capitalize()
    return f"{badge.capitalize()} ({status})"


def _heed_receipt(outcome: Outcome, newest: AnyDelivery) -> Outcome:
    """Add what a person reported, and drop the advice to find that out."""
    is_seen = newest.receipt is Receipt.SEEN
    next_step = drop_arrival_check(outcome.next_step or "", is_seen) or None
    return replace(
        outcome,
        sentence=drop_arrival_check(outcome.sentence, is_seen),
        # After Sent, the next step is the channel's, for a message that nobody sees.
        next_step=None if is_seen and outcome.badge is Badge.SENT else next_step,
        may_have_arrived=False,
        receipt=newest.receipt,
        receipt_sentence=describe_receipt(newest),
        is_missing=is_missing(newest.status, newest.receipt),
    )


def _drop_outdated(outcome: Outcome, newest: AnyDelivery) -> Outcome:
    """Drop what was about the earlier settings: the cause and the next step of a test that is complete."""
    if outcome.badge is Badge.PENDING:
        return replace(outcome, is_outdated=True)
    was_sent = newest.status in (DeliveryStatus.SENT, DeliveryStatus.FAILED)
    return replace(outcome, sentence="" if was_sent else outcome.sentence, next_step=None, is_outdated=True)


def _describe_pending(newest: AnyDelivery) -> Outcome:
    last_error = _message(newest)
    next_attempt = f"Attempt {(newest.attempt_count or 0) + 1}"
    if newest.send_after is not None:
        sentence = f"{last_error} {next_attempt} is next.".strip()
        return Outcome(Badge.PENDING, newest.send_after, sentence, at_label="next attempt due")
    if newest.attempt_started_at is not None:
        sending = f"{last_error} Attempt {newest.attempt_count} is running." if last_error else "Sending now."
        return Outcome(Badge.PENDING, newest.created_at, sending, at_label="requested")
    first_attempt = "Waiting for a worker to pick it up." if newest.alert_rule_id is None else "Waiting to be sent."
    waiting = f"{last_error} {next_attempt} is waiting for a worker." if last_error else first_attempt
    return Outcome(Badge.PENDING, newest.created_at, waiting, at_label="requested")


def _describe_sent(newest: AnyDelivery, channel_name: str) -> Outcome:
    channel = CHANNELS.get(channel_name)
    accepted = channel.accepted if channel else "Accepted"
    warning = f" {_message(newest)}".rstrip()
    return Outcome(Badge.SENT, newest.sent_at, f"{accepted}.{warning}", channel.after_accepted if channel else None)


def _describe_failed(newest: AnyDelivery, channel_name: str, sentence: str) -> Outcome:
    code = known_code(newest.last_error_code)
    return Outcome(
        Badge.FAILED,
        newest.updated_at,
        sentence,
        next_step(code, channel_name) if code else None,
        is_uncertain(newest),
    )


def _reason(newest: AnyDelivery) -> str:
    return _message(newest) or newest.last_error_code or "No reason was recorded."


def _message(newest: AnyDelivery) -> str:
    # Another program may have written anything into a real alert's row. Rows that we sent also have `attempts`.
    is_ours = newest.alert_rule_id is None or newest.attempts is not None
    return (newest.last_error_message or "") if is_ours else ""


def known_code(text: str | None) -> Code | None:
    """Return the code of a stored value; None if this version does not know it."""
    return next((code for code in Code if code == text), None)


def next_step(code: Code, channel_name: str) -> str:
    """Return the next step for a code: the channel's own hint if it has one, else the general one."""
    channel = CHANNELS.get(channel_name)
    return (channel.hints.get(code) if channel else None) or MEANINGS[code].next_step
