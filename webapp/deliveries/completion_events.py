"""Tell the log and the tallies that a delivery has ended, once that is committed and not before."""

import logging
from dataclasses import asdict, dataclass

from sqlalchemy import event
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.metrics.counters import count_ending

log = logging.getLogger(__name__)

_UNTOLD = "endings that are not committed yet"


@dataclass(frozen=True)
class Ending:
    """How a delivery ended. seconds: from the press, by the clock of whoever ended it."""

    delivery: int
    change: str
    channel: str
    status: str
    code: str | None
    seconds: float


def tell_after_commit(session: Session, ending: Ending) -> None:
    """Keep an ending until the session's transaction is over."""
    session.info.setdefault(_UNTOLD, []).append(ending)


@event.listens_for(db.session, "after_commit")
def _tell(session: Session) -> None:
    for ending in session.info.pop(_UNTOLD, ()):
        log.info("delivery ended", extra=asdict(ending))
        count_ending(ending.channel, ending.status, ending.code, ending.seconds)


@event.listens_for(db.session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_UNTOLD, None)
