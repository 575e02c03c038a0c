"""Computes what the page says about a destination's planned test."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.deliveries.requesting.planned_test_transitions import PLAN_COLUMNS, PlanRow, is_due, is_open
from webapp.extensions import db
from webapp.models import PlanEnd, PlannedTest
from webapp.text.names import isolate_name

# Why a planned test ended, with the names of who planned it and who ended it.
SENTENCES: Mapping[PlanEnd, str] = {
    PlanEnd.CANCELED: "{by} canceled the planned test. Nothing was sent.",
    PlanEnd.REPLACED: "The test that {planner} planned was not needed: {by} sent one first.",
    PlanEnd.DISABLED: "The planned test was not sent: the destination was disabled.",
    PlanEnd.NOT_ALLOWED: "The planned test was not sent: {planner} may no longer send tests here.",
    PlanEnd.EXPIRED: "The planned test was not sent: Alertcheck could not send it within two minutes of its time.",
    PlanEnd.MEMBER_LIMIT: "The planned test was not sent: {planner} sent too many tests within a minute.",
    PlanEnd.WORKSPACE_LIMIT: "The planned test was not sent: this workspace sent too many tests within a minute.",
    PlanEnd.TARGET_LIMIT: (
        "The planned test was not sent: too many tests went to an address of this destination within a minute."
    ),
    PlanEnd.NOT_CONFIRMED: (
        "The planned test was not sent: it pages people, and {planner} planned it without confirming that."
    ),
}

# How long a page says why a planned test ended. What a member did is for those who watch; that a test was not sent is
# also for those who come back later.
SHOWN_LONG, SHOWN_BRIEFLY = timedelta(days=1), timedelta(minutes=2)
_BRIEF = (PlanEnd.CANCELED, PlanEnd.REPLACED)


@dataclass(frozen=True)
class PlanStatus:
    """What the status fragment shows of a planned test that waits.

    due_at: when it is to be sent. planner: who planned it. seconds_left: whole seconds until then, 0 if it is due.
    """

    due_at: datetime
    planner: str
    seconds_left: int


def find_plan_status(plan: PlanRow | None, now: datetime) -> PlanStatus | None:
    """Return what the page shows of a planned test; None unless it waits."""
    if plan is None or not is_open(plan, now):
        return None
    left = 0 if is_due(plan, now) else math.ceil((plan.due_at - now).total_seconds())
    return PlanStatus(plan.due_at, plan.planner, left)


def describe_plan_end(plan: PlanRow | None, newest: AnyDelivery | None, now: datetime) -> str | None:
    """Return why a planned test ended without a test send; None once there is a newer test send, or nothing to say."""
    if plan is None or is_open(plan, now):
        return None
    # It has expired, also if no worker is alive to end it.
    reason, ended_at = plan.end_reason or PlanEnd.EXPIRED, plan.ended_at or plan.due_at
    is_replaced = newest is not None and newest.created_at > ended_at
    if is_replaced or now - ended_at >= (SHOWN_BRIEFLY if reason in _BRIEF else SHOWN_LONG):
        return None
    return SENTENCES[reason].format(planner=isolate_name(plan.planner), by=isolate_name(plan.ended_by or ""))


def list_plans(destination_ids: Sequence[int]) -> dict[int, PlanRow]:
    """Return the planned tests of these destinations, ended ones included. Executes one query, or none for no ids."""
    if not destination_ids:
        return {}
    rows = db.session.execute(_PLANS, {"destination_ids": destination_ids})
    return {destination_id: PlanRow(*plan) for destination_id, *plan in rows}


_PLANS = select(PlannedTest.alert_destination_id, *PLAN_COLUMNS).where(
    PlannedTest.alert_destination_id.in_(bindparam("destination_ids", expanding=True))
)
