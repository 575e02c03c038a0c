"""Builds the status fragment, for pages, presses and polls alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import get_template_attribute
from sqlalchemy import Select, and_

from webapp import deliveries
from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.auth.session_rows import DestinationFacts, forget_url_rows
from webapp.dashboard.certificate_warning import find_certificate_warning
from webapp.dashboard.paging_notice import describe_paging
from webapp.dashboard.planned_test_status import PlanStatus, describe_plan_end, find_plan_status
from webapp.dashboard.poll_interval import is_awaited, next_poll_ms
from webapp.dashboard.proof_status import ProofStatus, describe_proof
from webapp.dashboard.recent_results import RecentResult, parse_recent_results, recent_results_subquery
from webapp.database.sessions import leave_database
from webapp.deliveries.badge import Badge, Outcome, describe_outcome
from webapp.deliveries.delivery_rows import DELIVERY_COLUMNS, AnyDelivery, DeliveryRow, read_delivery
from webapp.deliveries.drill_confirmation import confirmation_times
from webapp.deliveries.newest_deliveries import newest_test_id_subquery
from webapp.deliveries.proof import NO_PROOF, PROOF_COLUMNS, Proof, read_proofs
from webapp.deliveries.requesting.cooldown import cooldown_end, find_requested_at, seconds_left
from webapp.deliveries.requesting.planned_test_transitions import PLAN_COLUMNS, PlanRow
from webapp.metrics.backlog import waiting_subquery
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest, database_clock
from webapp.presses.eligibility import RequestResult, find_refusal

# How long a test may wait for a worker before the page checks whether a worker is alive.
PICKUP_TIMEOUT = timedelta(seconds=3)

BLOCK_REASONS = {
    RequestResult.NOT_ALLOWED: "Viewers cannot send tests. Ask an admin or a support member of this workspace.",
    RequestResult.DISABLED: "This destination is disabled. Enable it to send a test.",
}


@dataclass(frozen=True)
class Status:
    """Everything that the fragment shows.

    recent_results: of the last test sends, oldest first.
    poll_ms: milliseconds until the next poll, or None if the result is final.
    cooldown, cooldown_end: whole seconds until the button works again, and when it does or did.
    block_reason: why the button is disabled for this visitor, or None.
    refusal: why this press was refused, or None.
    lacks_worker: the test waits for a worker, and no worker has a recent heartbeat.
    certificate_warning: that the certificate of an accepted test expires soon, or None.
    paging: whom a test pages, which has to be confirmed; None if it pages nobody.
    plan: the planned test that waits, or None. plan_end: why the last one ended without a test send, or None.
    proof: how old the badge is, and whether people have confirmed the newest drill.
    """

    destination: AlertDestination
    newest: AnyDelivery | None
    last_test: Outcome
    recent_results: Sequence[RecentResult]
    poll_ms: int | None
    cooldown: int
    cooldown_end: datetime | None
    block_reason: str | None
    refusal: str | None
    lacks_worker: bool
    certificate_warning: str | None
    paging: str | None
    plan: PlanStatus | None
    plan_end: str | None
    proof: ProofStatus


@dataclass(frozen=True)
class SharedStatusData:
    """Data that the fragments of one page share.

    pending: the number of waiting test sends in the workspace. plans: planned tests by destination, ended ones too.
    proof: by destination.
    """

    recent_results: Mapping[int, Sequence[RecentResult]]
    pending: int
    plans: Mapping[int, PlanRow]
    proof: Mapping[int, Proof]


def build_status(
    visit: Visit,
    destination: AlertDestination,
    newest: AnyDelivery | None,
    shared: SharedStatusData,
    now: datetime,
    refusal: str | None = None,
) -> Status:
    """Compute what the fragment shows. refusal: why this press was refused, or None."""
    last_test = describe_outcome(newest, destination.type, destination.settings_version)
    pressed_at = find_requested_at(newest)
    is_valid = newest is not None and last_test.badge is Badge.SENT and not last_test.is_outdated
    planned = shared.plans.get(destination.id)
    plan = find_plan_status(planned, now)
    proof, newest_id = shared.proof.get(destination.id, NO_PROOF), newest.id if newest else None
    return Status(
        destination=destination,
        newest=newest,
        last_test=last_test,
        recent_results=shared.recent_results.get(destination.id, ()),
        poll_ms=next_poll_ms(newest, plan, now, shared.pending, waits=True),
        cooldown=seconds_left(pressed_at, now),
        cooldown_end=cooldown_end(pressed_at, now),
        block_reason=find_block_reason(visit, destination, newest, now),
        refusal=refusal,
        lacks_worker=_lacks_worker(newest, plan, now),
        certificate_warning=find_certificate_warning(newest, destination.type, now) if newest and is_valid else None,
        paging=describe_paging(destination.type),
        plan=plan,
        plan_end=describe_plan_end(planned, newest, now),
        proof=describe_proof(destination, proof, newest_id, last_test.badge, now),
    )


def load_status(destination: AlertDestination, now: datetime) -> tuple[DeliveryRow | None, SharedStatusData]:
    """Load a destination's newest test send and the fragment's shared data. Executes one query.

    Ends the test send first if it is overdue.
    """
    newest, shared = _load_status(destination, now)
    if newest is not None and deliveries.end_if_overdue(newest, now):
        newest, shared = _load_status(destination, now)
    return newest, shared


def await_outcome(destination: AlertDestination) -> bool:
    """Wait a moment for the outcome of a test that waits alone, holding nothing of the database.

    Returns whether the request waited. What it has loaded is out of date then: also who asks, and what they may see.
    """
    now = database_clock.now()
    row = STATUS.peek(destination, now)
    newest = read_delivery(row)
    return is_awaited(newest, now, row[_PENDING]) and app_state().outcome_waits.wait(newest.id, _leave)


def _leave() -> None:
    forget_url_rows()
    leave_database()


def find_block_reason(
    visit: Visit, destination: AlertDestination, newest: AnyDelivery | None, now: datetime
) -> str | None:
    """Return why the button is disabled for this visitor, or None. A cooldown does not count as a reason."""
    refusal = find_refusal(visit.role, destination, find_requested_at(newest), now)
    return BLOCK_REASONS.get(refusal) if refusal else None


def render_status(visit: Visit, status: Status, now: datetime) -> str:
    """Render the fragment alone, for a press or a poll."""
    draw_status = get_template_attribute("_status_macro.html", "draw_status")
    return str(draw_status(visit, status, now))


def _load_status(destination: AlertDestination, now: datetime) -> tuple[DeliveryRow | None, SharedStatusData]:
    row = STATUS.load(destination, now)
    acceptance, confirmation = row[_PROOF]
    plan, results, (proof,) = row[_PLAN], parse_recent_results(row[_RESULTS]), read_proofs([acceptance], [confirmation])
    plans = {} if plan[0] is None else {destination.id: PlanRow._make(plan)}
    return read_delivery(row), SharedStatusData(
        {destination.id: results}, row[_PENDING], plans, {destination.id: proof}
    )


def _lacks_worker(newest: AnyDelivery | None, plan: PlanStatus | None, now: datetime) -> bool:
    since = _waits_since(newest, plan)
    return since is not None and now - since >= PICKUP_TIMEOUT and not deliveries.is_worker_seen()


def _waits_since(newest: AnyDelivery | None, plan: PlanStatus | None) -> datetime | None:
    """Return since when something waits for a worker, or None."""
    if newest is not None and newest.status is DeliveryStatus.QUEUED and newest.attempt_started_at is None:
        return newest.updated_at
    return plan.due_at if plan else None


_IS_IN_USE = AlertDestination.deleted_at.is_(None)

# Where the columns are that `_add_status` adds, after those of the newest test send.
_PLAN = slice(len(DELIVERY_COLUMNS), len(DELIVERY_COLUMNS) + len(PLAN_COLUMNS))
_RESULTS, _PENDING = _PLAN.stop, _PLAN.stop + 1
_PROOF = slice(_PENDING + 1, None)


def _add_status(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    with_columns = query.add_columns(*DELIVERY_COLUMNS, *PLAN_COLUMNS, recent_results_subquery(), waiting_subquery())
    return (
        with_columns.add_columns(*PROOF_COLUMNS)
        .outerjoin(AlertDelivery, and_(AlertDelivery.id == newest_test_id_subquery(), _IS_IN_USE))
        .outerjoin(PlannedTest, and_(PlannedTest.alert_destination_id == AlertDestination.id, _IS_IN_USE))
    )


STATUS = DestinationFacts(_add_status, confirmation_times)
