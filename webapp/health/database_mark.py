"""Tells whether a worker's database is this process's own: a copied .env may lead two installations to one queue."""

import re

from sqlalchemy import func, select

from webapp import queue
from webapp.database.sessions import discard_transaction
from webapp.extensions import db
from webapp.models import AuditEvent

_MARK = re.compile(r"(?P<id>[0-9]{1,18}) (?P<time>[0-9T:.+-]{1,40})")


def read_mark() -> str:
    """Return what the worker's heartbeat says of its database: the newest audit event, or nothing if there is none."""
    event = db.session.execute(_NEWEST).first()
    return f"{event.id} {event.happened_at.isoformat()}" if event else ""


def list_workers_here() -> list[bool]:
    """Return for each live worker whether it may use this process's database. Raises `QueueUnavailable`."""
    marks = queue.list_database_marks()
    try:
        return [_may_be_of_this_database(mark) for mark in marks]
    finally:
        discard_transaction()


def _may_be_of_this_database(mark: str) -> bool:
    """Check that the event is here, unless it is older than the newest one: then it may have been deleted meanwhile."""
    found = _MARK.fullmatch(mark)
    if found is None:  # of an older version, or of a database without an event
        return True
    event_id = int(found["id"])
    event = db.session.get(AuditEvent, event_id)
    if event is None:
        return event_id <= (db.session.scalar(select(func.max(AuditEvent.id))) or 0)
    return event.happened_at.isoformat() == found["time"]


_NEWEST = select(AuditEvent.id, AuditEvent.happened_at).order_by(AuditEvent.id.desc()).limit(1)
