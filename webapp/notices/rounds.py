"""What a worker does about problems and notices every few seconds. Several workers may do it at once."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.notices.closing import close_problems, has_open_problem
from webapp.notices.destination_sending import end_lost_notices
from webapp.notices.mailed import settle_notices
from webapp.notices.planning import plan_notices
from webapp.notices.retention import delete_old_page
from webapp.notices.unconfirmed import open_unconfirmed

log = logging.getLogger(__name__)

# Seconds between two rounds, between two looks for what nobody confirmed, and between two deletions.
INTERVAL = 3.0
UNCONFIRMED_INTERVAL = 60.0
DELETION_INTERVAL = 3600.0


class NoticeRounds:
    """Opens, closes and tells by the rows alone, so that a killed worker leaves nothing behind.

    clock: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_at = self._next_unconfirmed_at = self._next_deletion_at = clock()

    def run(self, now: datetime) -> None:
        """Do one round, if it is time. A public demo tells nobody anything.

        Each step commits: one transaction locks problems in the order of their destinations, which two steps would not.
        """
        started_at = self._clock()
        if started_at < self._next_at or current_settings().is_public_demo:
            return
        self._next_at = started_at + INTERVAL
        if started_at >= self._next_unconfirmed_at:
            self._next_unconfirmed_at = started_at + UNCONFIRMED_INTERVAL
            open_unconfirmed(now)
            db.session.commit()
        if has_open_problem():
            close_problems(now)
        db.session.commit()
        settle_notices(now)
        db.session.commit()
        end_lost_notices(now)
        if written := plan_notices(now):
            log.info("notices written", extra={"count": written})
        if started_at >= self._next_deletion_at and not delete_old_page(now):
            self._next_deletion_at = started_at + DELETION_INTERVAL
