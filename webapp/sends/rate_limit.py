"""Rate limits of test sends: one per destination and cooldown, and a limit per member and per workspace.

Flask-Limiter checks first, before anything is written. The database decides (`webapp.deliveries.requesting`), so that
a flushed or unavailable Redis lets no second message through.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.errors import StorageError

from webapp.app_state import current_settings
from webapp.deliveries.cooldown import COOLDOWN, CoolingDown
from webapp.extensions import limiter

log = logging.getLogger(__name__)

_ONE_PRESS = RateLimitItemPerSecond(1, int(COOLDOWN.total_seconds()))
_COOLDOWN_KEY = "test-send"


class TooManyTestSends(Exception):
    """The member or the workspace has used up the test sends of this minute."""


@contextmanager
def enforce_limits(destination_id: int, account_id: int, workspace_id: int) -> Iterator[None]:
    """Count a press, or raise `CoolingDown` or `TooManyTestSends`. If the block raises, the cooldown is refunded."""
    try:
        _check_limits(destination_id, account_id, workspace_id)
    except StorageError:  # skip the other limits: each would wait for a frozen server, and a person waits too
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
        log.warning("limiter storage unavailable, the cooldown is not refunded", extra={"destination": destination_id})
