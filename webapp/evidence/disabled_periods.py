"""When a destination was disabled during a period, worked out from the audit trail and from its state now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from webapp.audit import Action
from webapp.evidence.period import Period
from webapp.extensions import db
from webapp.models import AlertDestination, AuditEvent

_SWITCHES = (Action.ENABLED.value, Action.DISABLED.value)


@dataclass(frozen=True)
class DisabledSpell:
    """A time during which a destination was disabled.

    disabled: the event that began it; None if it began before the period, or was not recorded.
    ended: the first event that ended it, also after the period: the destination was enabled or deleted. None if it
        goes on.
    """

    disabled: AuditEvent | None
    ended: AuditEvent | None


@dataclass(frozen=True)
class SwitchEvents:
    """The events that enabled and disabled one destination.

    before: the last one before the period, or None. since: those in the period, and the first one after it.
    """

    before: AuditEvent | None
    since: Sequence[AuditEvent]


def load_switches(workspace_id: int, period: Period) -> Mapping[int, SwitchEvents]:
    """Return the switches of each destination that has any, by id, with three queries."""
    own = (AuditEvent.workspace_id == workspace_id) & AuditEvent.action.in_(_SWITCHES)
    newest = select(func.max(AuditEvent.id)).where(own, AuditEvent.happened_at < period.begins_at)
    oldest = select(func.min(AuditEvent.id)).where(own, AuditEvent.happened_at >= period.ends_at)
    is_inside = own & (AuditEvent.happened_at >= period.begins_at) & (AuditEvent.happened_at < period.ends_at)
    # Apart from each other: to find both in one query, PostgreSQL reads all events of the workspace.
    before, inside, after = (
        db.session.scalars(select(AuditEvent).where(condition).order_by(AuditEvent.happened_at, AuditEvent.id)).all()
        for condition in (_is_in(newest), is_inside, _is_in(oldest))
    )
    last = {event.destination_id: event for event in before}
    later: dict[int | None, list[AuditEvent]] = defaultdict(list)
    for event in (*inside, *after):
        later[event.destination_id].append(event)
    known = {*last, *later} - {None}
    return {key: SwitchEvents(last.get(key), later.get(key, ())) for key in known if key is not None}


def _is_in(ids: Select[int]) -> ColumnElement[bool]:
    """Return the condition for the events with these ids, one of each destination."""
    return AuditEvent.id.in_(ids.group_by(AuditEvent.destination_id))


NO_SWITCHES = SwitchEvents(None, ())


def find_disabled_spells(
    destination: AlertDestination, switches: SwitchEvents, deleted: AuditEvent | None, period: Period
) -> list[DisabledSpell]:
    """Return the times in the period during which a destination was disabled, oldest first.

    deleted: the event that deleted it, if that is recorded.
    """
    spells: list[DisabledSpell] = []
    is_open, began = was_disabled_at_start(destination, switches), None
    for event in switches.since:
        if is_open and event.action == Action.ENABLED:
            spells.append(DisabledSpell(began, event))
            is_open = False
        elif not is_open and event.action == Action.DISABLED and event.happened_at < period.ends_at:
            is_open, began = True, event
    return [*spells, DisabledSpell(began, deleted)] if is_open else spells


def was_disabled_at_start(destination: AlertDestination, switches: SwitchEvents) -> bool:
    """Return whether a destination was disabled when the period began, or when it was added in it."""
    if switches.before is not None:
        return switches.before.action == Action.DISABLED
    if switches.since:
        return switches.since[0].action == Action.ENABLED
    return not destination.is_enabled and destination.deleted_at is None
