"""The lines about a destination's proof in the report for a ticket."""

from datetime import datetime

from webapp.dashboard.badge_age import find_idle_warning
from webapp.dashboard.drill_confirmation_status import describe_confirmation
from webapp.dashboard.time_format import format_exact, format_relative
from webapp.deliveries.badge import Badge
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.deliveries.proof import Proof
from webapp.deliveries.staleness import STALE_AFTER, is_stale
from webapp.models import AlertDestination
from webapp.text.names import quote_name


def report_proof(
    destination: AlertDestination, proof: Proof, last_accepted: AnyDelivery | None, now: datetime
) -> list[str]:
    """Return a line for each fact. last_accepted: the newest accepted test send, which has a line of its own."""
    acceptance, confirmation = proof
    lines = []
    if acceptance and acceptance.delivery_id != (last_accepted.id if last_accepted else None):
        lines.append(f"Last real alert accepted: {format_exact(acceptance.at)}, {format_relative(acceptance.at, now)}")
    if acceptance and is_stale(acceptance, now):
        lines.append(f"Evidence: no message was accepted within {STALE_AFTER.days} days with the present settings.")
    idle = find_idle_warning(acceptance, destination.type, Badge.SENT, now)
    lines += [f"Warning: {idle}"] if idle else []
    if destination.needs_confirmation:
        lines.append(describe_confirmation(confirmation, quote_name))
    return lines
