"""What a worker does about problems and notices every few seconds. Several workers may do it at once."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.notices.destination_sending import end_lost_notices
from webapp.notices.due_notices import list_due_workspaces, plan_notices
from webapp.notices.endings import settle_notices
from webapp.notices.problem_closing import close_problems
from webapp.notices.retention import delete_old_page
from webapp.notices.unconfirmed_problems import open_unconfirmed

log = logging.getLogger(__name__)

# Seconds between two rounds, between two looks for what nobody confirmed, and between two deletions.
INTERVAL = 3.0
UNCONFIRMED_INTERVAL = 60.0
DELETION_INTERVAL = 3600.0

# Seconds of one pass. A round with much to do takes several passes, so that the rest of the maintenance, and the
# heartbeat after it, need not wait for all of it.
PASS_TIME = 0.025

_END = object()


class NoticeRounds:
    """Opens, closes and tells by the rows alone, so that a killed worker leaves nothing behind.

    clock: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_at = self._next_unconfirmed_at = self._next_deletion_at = clock()
        self._steps: Iterator[None] | None = None
        self._now: datetime

    def run(self, now: datetime) -> None:
        """Continue the round, or begin the next one if it is time. A public demo tells nobody anything."""
        started_at, self._now = self._clock(), now
        if current_settings().is_public_demo:
            return
        if self._steps is None:
            if started_at < self._next_at:
                return
            self._next_at = started_at + INTERVAL
            self._steps = self._do_round(started_at)
        steps, self._steps = self._steps, None  # a round that fails is not continued
        while next(steps, _END) is not _END:
            if self._clock() >= started_at + PASS_TIME:
                self._steps = steps
                return

    def _do_round(self, started_at: float) -> Iterator[None]:
        """Do a round, in steps of some milliseconds. Between two, anything may change.

        Each step commits: one transaction locks problems in the order of their destinations, which two steps would not.
        """
        if started_at >= self._next_unconfirmed_at:
            self._next_unconfirmed_at = started_at + UNCONFIRMED_INTERVAL
            yield from self._do_pages(open_unconfirmed)
        yield from self._do_pages(close_problems)
        while settle_notices(self._now):
            yield
        yield
        end_lost_notices(self._now)
        for workspace_id in list_due_workspaces(self._now):
            yield
            yield from self._write_notices(workspace_id)
        yield
        if started_at >= self._next_deletion_at:
            while delete_old_page(self._now):
                yield
            self._next_deletion_at = started_at + DELETION_INTERVAL

    def _write_notices(self, workspace_id: int) -> Iterator[None]:
        """Write the notices of a workspace, unless it is deleted meanwhile."""
        try:
            for is_complete in plan_notices(workspace_id, lambda: self._now):
                if is_complete:
                    log.info("notice written", extra={"workspace": workspace_id})
                yield
        except ObjectDeletedError:
            db.session.rollback()
            log.info("workspace deleted, its notices are left", extra={"workspace": workspace_id})

    def _do_pages(self, do_page: Callable[[datetime, int], int | None]) -> Iterator[None]:
        """Do one page after the other. do_page: is given where it begins, and returns where the next one does."""
        after: int | None = 0
        while after is not None:
            after = do_page(self._now, after)
            yield
