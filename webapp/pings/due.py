"""Adds the pings that are due: one an hour, and one each time when all drills of the windows that ended have ended."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select

from webapp.drills.schedule_slots import Window, latest_window, read_schedule
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DrillSchedule, Ping, PingKind
from webapp.models.database_clock import CLOCK_TOLERANCE
from webapp.models.delivery import IS_WAITING
from webapp.models.upsert import insert_or_update

# A window that ended longer ago has no ping any more: a drill of it may be made up in the next one.
ROUND_KEPT = timedelta(hours=1)


def add_due_pings(now: datetime) -> None:
    """Add what is due and not yet there, and commit.

    A ping from the future was sent by a clock that was ahead: its hour has one of its own.
    """
    is_ahead = Ping.created_at > now + CLOCK_TOLERANCE
    if db.session.scalar(select(Ping.id).where(is_ahead).limit(1)) is not None:
        db.session.execute(delete(Ping).where(is_ahead), execution_options={"synchronize_session": False})
    _add(PingKind.HOUR, now.replace(minute=0, second=0, microsecond=0), now)
    for ended_at in _list_complete_rounds(now):
        _add(PingKind.ROUND, ended_at, now)
    db.session.commit()


def _add(kind: PingKind, period: datetime, now: datetime) -> None:
    row = {"kind": kind, "period": period, "created_at": now, "next_attempt_at": now, "attempt_count": 0}
    db.session.execute(insert_or_update(Ping).values(row).on_conflict_do_nothing())


def _list_complete_rounds(now: datetime) -> list[datetime]:
    """Return when the windows ended whose drills have all ended, if there were any."""
    windows: dict[Window, list[int]] = defaultdict(list)
    for workspace_id, window in _list_ended_windows(now):
        windows[window].append(workspace_id)
    rounds: dict[datetime, list[tuple[Window, list[int]]]] = defaultdict(list)
    for window, workspace_ids in windows.items():
        rounds[window.end].append((window, workspace_ids))
    return [
        ended_at
        for ended_at, parts in rounds.items()
        if _has_drill(parts, is_waiting=False) and not _has_drill(parts, is_waiting=True)
    ]


def _list_ended_windows(now: datetime) -> Iterator[tuple[int, Window]]:
    for row in db.session.scalars(select(DrillSchedule).where(DrillSchedule.started_at.is_not(None))):
        window = latest_window(read_schedule(row), now)
        if window is not None and window.end > now - ROUND_KEPT:
            yield row.workspace_id, window


def _has_drill(parts: list[tuple[Window, list[int]]], is_waiting: bool) -> bool:
    return any(_has_drill_in(workspace_ids, window, is_waiting) for window, workspace_ids in parts)


def _has_drill_in(workspace_ids: list[int], window: Window, is_waiting: bool) -> bool:
    """Return whether these workspaces, which share a window, have a drill of it. Executes one query for all."""
    drills = (
        select(AlertDelivery.id)
        .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
        .where(
            AlertDestination.workspace_id.in_(workspace_ids),
            AlertDestination.drilled_at >= window.start,
            AlertDelivery.drill.is_not(None),
            AlertDelivery.created_at >= window.start,
            AlertDelivery.created_at < window.end,
        )
    )
    if is_waiting:
        drills = drills.where(IS_WAITING)
    return bool(db.session.scalar(select(exists(drills))))
