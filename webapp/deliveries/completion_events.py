"""Publishes completed deliveries after their transaction has committed, and never before."""

import logging
from dataclasses import asdict, dataclass

from blinker import Signal
from sqlalchemy import event
from sqlalchemy.orm import Session

from webapp.extensions import db

log = logging.getLogger(__name__)

# Sent with a `CompletionEvent`. `create_core` connects the subscribers.
delivery_completed = Signal()

_PENDING = "completion events of the current transaction"


@dataclass(frozen=True)
class CompletionEvent:
    """The completion of a delivery. seconds: time since the press, by the clock of the process that completed it."""

    delivery: int
    event_type: str
    transition: str
    channel: str
    status: str
    code: str | None
    seconds: float


def publish_after_commit(session: Session, completion: CompletionEvent) -> None:
    """Publish an event when the session's transaction commits; a rollback discards it."""
    session.info.setdefault(_PENDING, []).append(completion)


@event.listens_for(db.session, "after_commit")
def _publish(session: Session) -> None:
    for completion in session.info.pop(_PENDING, ()):
        log.info("delivery completed", extra=asdict(completion))
        delivery_completed.send(completion)


@event.listens_for(db.session, "after_rollback")
def _discard(session: Session) -> None:
    session.info.pop(_PENDING, None)
