"""Tries again while the database is unavailable, or has no free connection: a worker must not drop its work at once."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.database.outages import describe_outage
from webapp.database.sessions import discard_transaction
from webapp.extensions import db

log = logging.getLogger(__name__)

Result = TypeVar("Result")

# Seconds between two tries, half of them random: the threads of all workers must not try at once.
RETRY_INTERVAL = 0.5

# Seconds for which a worker tries to begin a delivery. Then its row still waits, and recovery requeues it.
BEGIN_PATIENCE = 5.0


def retry(action: Callable[[], Result], give_up_at: float, *delivery_ids: int) -> Result:
    """Return what the action returns, after as many tries as it takes. Raises the last database error.

    give_up_at: seconds of the monotonic clock.
    """
    while True:
        try:
            return action()
        except (DBAPIError, PoolTimeout) as error:
            discard_transaction()
            outage = describe_outage(error)
            if outage is None:  # a mistake of this program, which another try would repeat
                raise
            wait = RETRY_INTERVAL * random.uniform(0.5, 1)  # noqa: S311 - spreads tries, protects no secret
            if time.monotonic() + wait > give_up_at:
                raise
            fields = {"deliveries": delivery_ids, "outage": outage, "error": type(error).__name__}
            log.warning("database unavailable, trying again soon", extra=fields)
            db.session.remove()
            time.sleep(wait)
