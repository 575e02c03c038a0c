"""Collects what is known about a destination's last test, and writes the report for a support ticket.

Names are in quotation marks in the report, so that none can pass for the rest of its line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from webapp.audit import BY_CUSTOMER_LINK, Action
from webapp.dashboard.comparison import describe_duration, list_differences
from webapp.dashboard.exchange_section import report_exchange
from webapp.dashboard.proof_report import report_proof
from webapp.dashboard.time_format import format_exact, format_relative
from webapp.deliveries import PastAttempt, can_be_confirmed, list_attempts
from webapp.deliveries.arrival import describe_arrival, describe_receipt
from webapp.deliveries.attempts.exchanges import read_exchange
from webapp.deliveries.badge import Outcome, describe_outcome, known_code
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.deliveries.proof import Proof
from webapp.deliveries.queries import find_last_accepted_test, has_real_alerts
from webapp.extensions import db
from webapp.models import AlertDestination, AuditEvent, DeliveryStatus, DrillNumber
from webapp.outbound.exchange_facts import ExchangeFacts
from webapp.text.names import clean_name, isolate_name, quote_name

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
        receipt=_describe_receipt(newest),
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


def write_report(
    workspace: str,
    destination: AlertDestination,
    channel: str,
    where: str,
    diagnosis: Diagnosis,
    proof: Proof,
    now: datetime,
) -> str:
    """Return the diagnosis as plain text for a ticket, without secrets. where: the target as shown to this visitor."""
    newest, outcome = diagnosis.newest, diagnosis.last_test
    lines = [
        f"Alertcheck report of {format_exact(now)}",
        f"Workspace: {quote_name(workspace)}",
        f"Destination: {quote_name(destination.name)} ({channel}{'' if destination.is_enabled else ', disabled'})",
        f"Where to: {where}",
        f"Last test: {outcome.badge.capitalize()}{_describe_request(newest)}",
        f"What happened: {outcome.sentence}",
        f"Did it arrive: {describe_arrival(newest, quote_name, diagnosis.is_outdated)}",
    ]
    lines += _report_receipt(newest)
    code = known_code(newest.last_error_code) if newest else None
    lines += [f"Code: {code}"] if code else []
    lines += [f"Next step: {diagnosis.next_step}"] if diagnosis.next_step else []
    lines += [_describe_attempt(attempt) for attempt in diagnosis.attempts]
    lines += report_exchange(diagnosis.exchange, newest.answer_status if newest else None)
    lines += _report_last_accepted(diagnosis, now)
    lines += report_proof(destination, proof, diagnosis.last_accepted, now)
    return "".join(f"{clean_name(line)}\n" for line in lines)  # no fact of another program breaks a line


def _describe_receipt(newest: AnyDelivery | None, format_name: Callable[[str], str] = isolate_name) -> str | None:
    if newest is None or newest.receipt is None:
        return "Nobody has confirmed yet whether the message arrived." if can_be_confirmed(newest) else None
    return describe_receipt(newest, format_name)


def _report_receipt(newest: AnyDelivery | None) -> list[str]:
    """Return two separate lines: when the receiver accepted the message, and what a person reported."""
    accepted_at, receipt_at = (newest.sent_at, newest.receipt_at) if newest else (None, None)
    reported_at = f" ({format_exact(receipt_at)})" if receipt_at else ""
    lines = [f"Accepted: {format_exact(accepted_at)}"] if accepted_at else []
    receipt = _describe_receipt(newest, quote_name)
    return lines + ([f"Receipt: {receipt}{reported_at}"] if receipt else [])


def _report_last_accepted(diagnosis: Diagnosis, now: datetime) -> list[str]:
    """Return when a test was accepted last, and what became different since then, or since the one before it."""
    last, earlier = diagnosis.last_accepted, diagnosis.earlier
    changes = [f"Since then: {_describe_change(change)}" for change in diagnosis.changes]
    differences = [f"Since then: {difference}" for difference in diagnosis.differences]
    at = last.sent_at if last else None
    took = diagnosis.earlier_duration if last is earlier else ""
    accepted = f"Last accepted test: {f'{format_exact(at)}{took}, {format_relative(at, now)}' if at else 'none yet'}"
    if last is earlier:
        return [accepted, *changes, *differences]
    earlier_changes = [f"Since then: {_describe_change(change)}" for change in diagnosis.earlier_changes]
    if earlier is None or earlier.sent_at is None or not (earlier_changes or differences):
        return [accepted, *changes]
    before = f"Accepted before: {format_exact(earlier.sent_at)}{diagnosis.earlier_duration}"
    return [accepted, *changes, before, *earlier_changes, *differences]


def _list_changes(destination: AlertDestination, since: datetime) -> Sequence[AuditEvent]:
    query = select(AuditEvent).where(
        AuditEvent.destination_id == destination.id, AuditEvent.happened_at > since, AuditEvent.action.in_(_CHANGES)
    )
    return db.session.scalars(query.order_by(AuditEvent.id.desc()).limit(_MAX_CHANGES)).all()


def _describe_request(newest: AnyDelivery | None) -> str:
    if newest is None:
        return ""
    by = f" by {quote_name(newest.requester)}" if newest.requester else ""
    is_plain = newest.drill is DrillNumber.FIRST and not by
    by = by or (" by the schedule of drills" if newest.drill else "")
    by += f", {BY_CUSTOMER_LINK}" if newest.by_customer_link else ""
    by += f" ({newest.drill.label})" if newest.drill and not is_plain else ""
    reference = f", reference {newest.reference}" if newest.reference else ""
    return f", requested{by} at {format_exact(newest.created_at)}{reference}"


def _describe_attempt(attempt: PastAttempt) -> str:
    took = "the worker was lost" if attempt.seconds is None else f"{attempt.seconds:.2f} s"
    response = f", response {attempt.answer_status}" if attempt.answer_status else ""
    code = f", {attempt.code}" if attempt.code else ", accepted"
    return f"Attempt {attempt.number}: {attempt.started_at.astimezone(UTC):%H:%M:%S} UTC, {took}{response}{code}"


def _describe_change(change: AuditEvent) -> str:
    fields = f" ({', '.join(change.changed)})" if change.changed else ""
    return f"{change.action}{fields} by {quote_name(change.account_name)} at {format_exact(change.happened_at)}"
