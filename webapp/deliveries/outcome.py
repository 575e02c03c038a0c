"""LastTestStatus: what a destination's badge says, derived from its newest test send and never stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Row, ScalarSelect, bindparam, select
from sqlalchemy.orm import joinedload

from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.failures import EXPLANATIONS, Code
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, DeliveryStatus, Receipt


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


def list_with_newest_test(destination_ids: Sequence[int]) -> list[Row[AlertDestination, AlertDelivery | None]]:
    """Fetch these destinations, in this order, each with its newest test send: one query, however many deliveries."""
    rows = db.session.execute(_OF_MANY, {"destination_ids": destination_ids}).all()
    order = {destination_id: number for number, destination_id in enumerate(destination_ids)}
    return sorted(rows, key=lambda row: order[row[0].id])


def find_newest_test(destination: AlertDestination) -> AlertDelivery | None:
    """Fetch one destination's newest test send."""
    return db.session.scalars(_OF_ONE, {"destination_id": destination.id}).one_or_none()


def newest_test_id_subquery() -> ScalarSelect[int]:
    """Return the subquery for the id of a destination's newest test send."""
    # A correlated LIMIT 1 walks the index once per destination; window functions would read every delivery.
    return (
        select(AlertDelivery.id)
        .where(
            AlertDelivery.workspace_id == AlertDestination.workspace_id,
            AlertDelivery.alert_destination_id == AlertDestination.id,
            AlertDelivery.event_type == TEST_EVENT,
        )
        .order_by(AlertDelivery.created_at.desc(), AlertDelivery.id.desc())
        .limit(1)
        .correlate(AlertDestination)
        .scalar_subquery()
    )


# What pages and polls ask for over and over is put together once.
_OF_MANY = (
    select(AlertDestination, AlertDelivery)
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .options(joinedload(AlertDelivery.requested_by))
    .where(AlertDestination.deleted_at.is_(None), AlertDestination.id.in_(bindparam("destination_ids", expanding=True)))
)
_OF_ONE = (
    select(AlertDelivery)
    .join(AlertDestination, AlertDelivery.id == newest_test_id_subquery())
    .options(joinedload(AlertDelivery.requested_by))
    .where(AlertDestination.deleted_at.is_(None), AlertDestination.id == bindparam("destination_id"))
)
