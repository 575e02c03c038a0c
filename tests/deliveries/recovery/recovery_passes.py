"""A worker's recovery passes at chosen times."""

from datetime import datetime, timedelta

from webapp.deliveries import Recovery, WaitTracker
from webapp.settings import AppSettings


def recover(now: datetime, app_settings: AppSettings, wait_tracker: WaitTracker) -> list[int]:
    """Run one pass that takes as long as it needs, and return the ids to enqueue."""
    return Recovery(wait_tracker, clock=lambda: 0.0).run(now, app_settings)


def recover_at(app_settings: AppSettings, *moments: datetime, clock_set_by: timedelta = timedelta(0)) -> list[int]:
    """Run one worker's recovery passes at these times, and return the ids that the last pass enqueues.

    clock_set_by: how far the wall clock is set after the first pass, while the worker's monotonic clock goes on.
    """
    elapsed = 0.0
    wait_tracker = WaitTracker(lambda: elapsed)
    enqueued = recover(moments[0], app_settings, wait_tracker)
    for moment in moments[1:]:
        elapsed = (moment - moments[0]).total_seconds()
        enqueued = recover(moment + clock_set_by, app_settings, wait_tracker)
    return enqueued
