"""Collects what is known about a destination's last test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from webapp.audit import Action
from webapp.dashboard.comparison import describe_duration, list_differences
from webapp.deliveries import PastAttempt, can_be_confirmed, list_attempts
from webapp.deliveries.arrival import describe_arrival, describe_receipt
from webapp.deliveries.attempts.exchanges import read_exchange
from webapp.deliveries.badge import Outcome, describe_outcome
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.deliveries.newest_deliveries import find_last_accepted_test
from webapp.deliveries.queries import has_real_alerts
from webapp.extensions import db
from webapp.models import AlertDestination, AuditEvent, DeliveryStatus
from webapp.outbound.exchange_facts import ExchangeFacts
from webapp.text.names import isolate_name

# Changes of a destination that are listed.
_MAX_CHANGES = 20

# The next step once the settings were changed after the last test.
RETEST = "The settings were changed after this test. Send another test."

_CHANGES = tuple(action.value for action in (Action.CHANGED, Action.ENABLED, Action.DISABLED))


@dataclass(frozen=True)
class Diagnosis:
    """What is known about a destination's last test.

    newest: the newest test send, or None. last_test: its outcome, told as history.
    next_step: what to do now, or None.
    arrival: a sentence on whether the message arrived.
    receipt: a sentence on what a person reported, or None if no confirmation is needed.
    can_be_confirmed: whether a person can confirm that the message arrived.
    attempts: attempts of the newest test send, oldest first.
    is_outdated: whether the settings were changed after that test send was requested.
    last_accepted: the newest accepted test send, or None.
    changes: changes to the destination since that test send was requested, newest first.
    exchange: the facts of the newest test send's last exchange, or None.
    earlier: the accepted test send that the newest one is compared with, or None. Never the newest one itself.
    earlier_duration: how long that one took (" in 180 ms"), or nothing.
    earlier_changes: changes to the destination between the two, if both were accepted, newest first.
    differences: sentences on what became different between the two exchanges.
    is_used: whether a rule has ever sent a real alert to the destination.
    """

    newest: AnyDelivery | None
    last_test: Outcome
    next_step: str | None
    arrival: str
    receipt: str | None
    can_be_confirmed: bool
    attempts: Sequence[PastAttempt]
    is_outdated: bool
    last_accepted: AnyDelivery | None
    changes: Sequence[AuditEvent]
    exchange: ExchangeFacts | None
    earlier: AnyDelivery | None
    earlier_duration: str
    earlier_changes: Sequence[AuditEvent]
    differences: Sequence[str]
    is_used: bool


def diagnose(destination: AlertDestination, newest: AnyDelivery | None) -> Diagnosis:
    """Load the diagnosis of a destination. Executes at most three queries."""
    is_accepted = newest is not None and newest.status is DeliveryStatus.SENT
    earlier = find_last_accepted_test(destination, newest.id if newest else None)
    last_accepted = newest if is_accepted else earlier
    since = earlier or last_accepted
    changes = _list_changes(destination, since.created_at) if since else ()
    last_change = newest.created_at if newest and is_accepted else datetime.min.replace(tzinfo=UTC)
    exchange, earlier_exchange = (read_exchange(test) if test else None for test in (newest, earlier))
    current = describe_outcome(newest, destination.type, destination.settings_version)
    return Diagnosis(
        newest=newest,
        last_test=describe_outcome(newest, destination.type),
        next_step=RETEST if current.is_outdated else current.next_step,
        arrival=describe_arrival(newest, is_outdated=current.is_outdated),
        receipt=describe_reported_receipt(newest),
        can_be_confirmed=can_be_confirmed(newest),
        attempts=list_attempts(newest) if newest else (),
        is_outdated=current.is_outdated,
        last_accepted=last_accepted,
        changes=[change for change in changes if change.happened_at > last_change],
        exchange=exchange,
        earlier=earlier,
        earlier_duration=describe_duration(earlier_exchange),
        earlier_changes=[change for change in changes if change.happened_at <= last_change],
        differences=list_differences(earlier_exchange, exchange),
        is_used=has_real_alerts(destination),
    )


def describe_reported_receipt(
    newest: AnyDelivery | None, format_name: Callable[[str], str] = isolate_name
) -> str | None:
    """Return a sentence on what a person has reported about the message, or on the lack of it.

    None if there was no message that a person could report on.
    """
    if newest is None or newest.receipt is None:
        return "Nobody has confirmed yet whether the message arrived." if can_be_confirmed(newest) else None
    return describe_receipt(newest, format_name)


def _list_changes(destination: AlertDestination, since: datetime) -> Sequence[AuditEvent]:
    query = select(AuditEvent).where(
        AuditEvent.destination_id == destination.id, AuditEvent.happened_at > since, AuditEvent.action.in_(_CHANGES)
    )
    return db.session.scalars(query.order_by(AuditEvent.id.desc()).limit(_MAX_CHANGES)).all()
