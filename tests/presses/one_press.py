"""Counts one press within the limits, as a group of one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from webapp.outbound.policy.counted_targets import SendTarget
from webapp.presses.limit_counters import list_limits
from webapp.presses.limit_enforcement import Press, enforce_limits


@contextmanager
def count_one(
    destination_id: int, account_id: int | None, workspace_id: int, targets: Sequence[SendTarget] = ()
) -> Iterator[None]:
    """Count one press, or raise `CoolingDown` or `TooManyTestSends`. If the block raises, the press does not count."""
    with enforce_limits([Press(destination_id, list_limits(account_id, workspace_id, targets))]) as refusals:
        if refusals:
            raise refusals[destination_id]
        yield
