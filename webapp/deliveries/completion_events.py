"""Tell the log and the tallies that a delivery has ended, once that is committed and not before."""

import logging
from dataclasses import asdict, dataclass

from sqlalchemy import event
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.metrics.counters import count_completion

log = logging.getLogger(__name__)

_PENDING = "endings that are not committed yet"


@dataclass(frozen=True)
class CompletionEvent:
    """How a delivery ended. seconds: from the press, by the clock of whoever ended it."""

    delivery: int
    change: str
    channel: str
    status: str
    code: str | None
    seconds: float


def publish_after_commit(session: Session, completion: CompletionEvent) -> None:
    """Keep an ending until the session's transaction is over."""
    session.info.setdefault(_PENDING, []).append(completion)


@event.listens_for(db.session, "after_commit")
def _publish(session: Session) -> None:
    for completion in session.info.pop(_PENDING, ()):
        log.info("delivery ended", extra=asdict(completion))
        count_completion(completion.channel, completion.status, completion.code, completion.seconds)


@event.listens_for(db.session, "after_rollback")
def _discard(session: Session) -> None:
    session.info.pop(_PENDING, None)
