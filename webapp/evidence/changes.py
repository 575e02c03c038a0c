"""Who changed the destinations and their settings in a period, from the audit trail: names, never values."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select

from webapp.audit import Action, Result
from webapp.evidence.period import Period
from webapp.extensions import db
from webapp.models import AuditEvent

# Events of a page. The audit trail has them all.
MAX_LISTED = 300

SETTINGS_ACTIONS = (
    *(Action.ADDED, Action.IMPORTED, Action.CHANGED, Action.ENABLED, Action.DISABLED, Action.DELETED),
    Action.DRILLS_CHANGED,
    Action.NOTICE_DESTINATION_CHANGED,
)


@dataclass(frozen=True)
class Changes:
    """The changes of a period. events: the first ones, oldest first. counts: by action, of all."""

    events: Sequence[AuditEvent]
    counts: dict[Action, int]

    @property
    def total(self) -> int:
        """Return how many there were."""
        return sum(self.counts.values())


def load_changes(workspace_id: int, period: Period) -> Changes:
    """Return the changes of a period, with two queries."""
    own = _is_change(workspace_id, period)
    events = select(AuditEvent).where(own).order_by(AuditEvent.happened_at, AuditEvent.id).limit(MAX_LISTED)
    by_action = select(AuditEvent.action, func.count().label("number")).where(own).group_by(AuditEvent.action)
    counts = {row.action: row.number for row in db.session.execute(by_action)}
    known = {action: counts[action.value] for action in SETTINGS_ACTIONS if action.value in counts}
    return Changes(db.session.scalars(events).all(), known)


def _is_change(workspace_id: int, period: Period) -> ColumnElement[bool]:
    return and_(
        AuditEvent.workspace_id == workspace_id,
        AuditEvent.action.in_([action.value for action in SETTINGS_ACTIONS]),
        AuditEvent.result == Result.DONE.value,
        AuditEvent.happened_at >= period.begins_at,
        AuditEvent.happened_at < period.ends_at,
    )
