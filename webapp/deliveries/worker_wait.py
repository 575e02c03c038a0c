"""Whether a test waits for a worker that nobody has seen."""

from datetime import datetime, timedelta

from webapp.deliveries.recovery.page_recovery import is_worker_seen
from webapp.models import DeliveryStatus

# A worker takes a test, or a retry that is due, much sooner.
PICKUP_TIMEOUT = timedelta(seconds=3)


def waits_since(
    status: DeliveryStatus, attempt_started_at: datetime | None, updated_at: datetime, send_after: datetime | None
) -> datetime | None:
    """Return since when a delivery with these columns waits for a worker, or from when on; None if it does not."""
    if status is DeliveryStatus.DEFERRED:
        return send_after
    return updated_at if status is DeliveryStatus.QUEUED and attempt_started_at is None else None


def lacks_worker(since: datetime | None, now: datetime) -> bool:
    """Return whether a worker should have taken what waits since then, and none has a recent heartbeat."""
    return since is not None and now - since >= PICKUP_TIMEOUT and not is_worker_seen()
