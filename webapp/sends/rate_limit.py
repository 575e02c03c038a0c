"""Rate limits of test sends: one per destination and cooldown, and so many per member and per workspace.

Flask-Limiter answers first, before anything is written. The database decides (`webapp.deliveries.requesting`), so that
a flushed or unavailable Redis lets no second message through.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.errors import StorageError

from webapp.deliveries.cooldown import COOLDOWN, CoolingDown
from webapp.extensions import limiter
from webapp.settings import current_settings

log = logging.getLogger(__name__)

_ONE_PRESS = RateLimitItemPerSecond(1, int(COOLDOWN.total_seconds()))
_COOLDOWN_KEY = "test-send"


class TooManyTestSends(Exception):
    """The member or the workspace has sent as many tests as a minute allows."""


@contextmanager
def enforce_limits(destination_id: int, account_id: int, workspace_id: int) -> Iterator[None]:
    """Let a press pass, or raise `CoolingDown` or `TooManyTestSends`. One that breaks is given back."""
    try:
        _check_limits(destination_id, account_id, workspace_id)
    except StorageError:  # the other limits are not asked: a frozen server takes its time for each, and a person waits
        log.warning("limiter storage unavailable, the database decides", extra={"destination": destination_id})
    try:
        yield
    except Exception:
        _refund(destination_id)
        raise


def _check_limits(destination_id: int, account_id: int, workspace_id: int) -> None:
    if not _hit(_ONE_PRESS, _COOLDOWN_KEY, destination_id):
        raise CoolingDown
    limits = current_settings().send_limits
    of_member = _hit(RateLimitItemPerMinute(limits.per_member), "member", account_id)
    if not (of_member and _hit(RateLimitItemPerMinute(limits.per_workspace), "workspace", workspace_id)):
        _refund(destination_id)
        raise TooManyTestSends


def _hit(rule: RateLimitItem, kind: str, row_id: int) -> bool:
    return limiter.limiter.hit(rule, kind, str(row_id))


def _refund(destination_id: int) -> None:
    try:
        limiter.limiter.clear(_ONE_PRESS, _COOLDOWN_KEY, str(destination_id))
    except StorageError:
        log.warning("limiter storage unavailable, it forgets by itself", extra={"destination": destination_id})
