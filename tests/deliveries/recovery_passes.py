"""A worker's recovery passes at chosen moments."""

from datetime import datetime, timedelta

from webapp.deliveries import WaitTracker, recover
from webapp.settings import AppSettings


def recover_at(app_settings: AppSettings, *moments: datetime, clock_set_by: timedelta = timedelta(0)) -> list[int]:
    """Let one worker look at these moments, and return what it enqueues at the last.

    clock_set_by: what was done to the wall clock after the first look, while the worker's steady one went on.
    """
    elapsed = 0.0
    wait_tracker = WaitTracker(lambda: elapsed)
    enqueued = recover(moments[0], app_settings, wait_tracker)
    for moment in moments[1:]:
        elapsed = (moment - moments[0]).total_seconds()
        enqueued = recover(moment + clock_set_by, app_settings, wait_tracker)
    return enqueued
