"""The states of a delivery: how each is recognized in the database, and stored there."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, or_

from webapp.database.keyset_pages import check_by_row
from webapp.models import AlertDelivery, DeliveryStatus


class State(StrEnum):
    """A delivery's state. The stored status `queued` covers two: only SENDING has `attempt_started_at` set."""

    WAITING = "waiting"
    SENDING = "sending"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    CANCELED = "canceled"
    SUPPRESSED = "suppressed"


_QUEUED = AlertDelivery.status == DeliveryStatus.QUEUED
_NO_ATTEMPT = AlertDelivery.attempt_started_at.is_(None)

# For deliveries whose ids are known. Checked row by row: after a press on Test all, thousands wait, but PostgreSQL's
# statistics still say that hardly any do. It would read all of them for each one that is claimed or recorded.
IS_UNCLAIMED = check_by_row(_QUEUED & _NO_ATTEMPT)
IS_BEING_SENT = check_by_row(_QUEUED & ~_NO_ATTEMPT)

# How a state is recognized in the database. The other states are final: no transition starts in one.
_CONDITIONS = {
    State.WAITING: IS_UNCLAIMED,
    State.SENDING: IS_BEING_SENT,
    State.DEFERRED: check_by_row(AlertDelivery.status == DeliveryStatus.DEFERRED),
}


def is_in(states: Sequence[State]) -> ColumnElement[bool]:
    """Return the condition for deliveries in one of these states, none of which is final."""
    return or_(*(_CONDITIONS[state] for state in states))


def is_final(state: State) -> bool:
    """Return whether no transition starts in this state."""
    return state not in _CONDITIONS


def list_state_columns(state: State, now: datetime) -> dict[str, Any]:
    """Return the columns by which a state is stored. now: when it begins."""
    status = DeliveryStatus.QUEUED if state in (State.WAITING, State.SENDING) else DeliveryStatus(state)
    return {
        "status": status,
        "attempt_started_at": now if state is State.SENDING else None,
        "send_after": None,
    }
