"""Writes what is known about a destination's last test as plain text for a support ticket.

Names are in quotation marks, so that none can pass for the rest of its line.
"""

from datetime import UTC, datetime

from webapp.audit import BY_CUSTOMER_LINK
from webapp.channels import describe_channel
from webapp.dashboard.diagnosis import Diagnosis, describe_reported_receipt
from webapp.dashboard.exchange_section import report_exchange
from webapp.dashboard.ticket_report_proof import report_proof
from webapp.dashboard.time_format import format_exact, format_relative
from webapp.deliveries import PastAttempt
from webapp.deliveries.arrival import describe_arrival
from webapp.deliveries.badge import known_code
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.deliveries.proof import Proof
from webapp.models import AlertDestination, AuditEvent, DrillNumber
from webapp.text.names import clean_name, quote_name


def write_report(
    workspace: str,
    destination: AlertDestination,
    where: str,
    diagnosis: Diagnosis,
    proof: Proof,
    now: datetime,
) -> str:
    """Return the diagnosis as plain text for a ticket, without secrets. where: the target as shown to this visitor."""
    newest, outcome = diagnosis.newest, diagnosis.last_test
    channel, is_off = describe_channel(destination.type), "" if destination.is_enabled else ", disabled"
    lines = [
        f"Alertcheck report of {format_exact(now)}",
        f"Workspace: {quote_name(workspace)}",
        f"Destination: {quote_name(destination.name)} ({channel}{is_off})",
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


def _report_receipt(newest: AnyDelivery | None) -> list[str]:
    """Return two separate lines: when the receiver accepted the message, and what a person reported."""
    accepted_at, receipt_at = (newest.sent_at, newest.receipt_at) if newest else (None, None)
    reported_at = f" ({format_exact(receipt_at)})" if receipt_at else ""
    lines = [f"Accepted: {format_exact(accepted_at)}"] if accepted_at else []
    receipt = describe_reported_receipt(newest, quote_name)
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
