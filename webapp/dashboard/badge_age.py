"""How old a badge is, beside the badge: the last accepted message, and a service that turns idle receivers off."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from webapp.channels import CHANNELS
from webapp.dashboard.summaries import DestinationSummary, Tab
from webapp.deliveries.badge import Badge
from webapp.deliveries.last_acceptance import Acceptance, find_proof
from webapp.failures.certificate import format_date

DAY = timedelta(days=1)


def find_shown_acceptance(
    acceptance: Acceptance | None, newest_id: int | None, badge: Badge, is_stale: bool
) -> Acceptance | None:
    """Return the acceptance that a status shows; None if there is none, or the badge says the same.

    newest_id: of the newest test send. While that waits, only what is stale is shown, so that a press moves nothing.
    """
    if acceptance is None:
        return None
    if acceptance.delivery_id == newest_id:
        return acceptance if is_stale and not acceptance.is_outdated else None
    return acceptance if is_stale or badge is not Badge.PENDING else None


def find_idle_warning(acceptance: Acceptance | None, channel_name: str, badge: Badge, now: datetime) -> str | None:
    """Return the warning that the service turns off a receiver that has been idle for long, or None.

    Failed has its own next step, and a test that waits is about to tell.
    """
    channel, since = CHANNELS.get(channel_name), find_proof(acceptance)
    limit = channel.idle_limit if channel else None
    if limit is None or since is None or badge in (Badge.FAILED, Badge.PENDING) or now - since < limit.warn_after:
        return None
    last, end = f"The last message was accepted on {format_date(since)}.", since + limit.turned_off_after
    if now < end:
        return (
            f"{last} {limit.rule} Without another message, alerts fail from {format_date(end)} on. Send a test now. "
            "Drills send one in time by themselves."
        )
    return f"{last} {limit.rule} It may have been off since {format_date(end)}. Send a test to find out."


def describe_oldest(summaries: Sequence[DestinationSummary], now: datetime) -> str:
    """Return how long ago the oldest of the accepted last tests was accepted: "64 days ago"; nothing below a day."""
    oldest = _find_oldest(summaries)
    days = (now - oldest) // DAY if oldest else 0
    return f"{days} day{'s' * (days != 1)} ago" if days > 0 else ""


def find_oldest_change(summaries: Sequence[DestinationSummary], now: datetime) -> datetime | None:
    """Return when `describe_oldest` next returns something else, or None."""
    oldest = _find_oldest(summaries)
    return oldest + ((now - oldest) // DAY + 1) * DAY if oldest else None


def _find_oldest(summaries: Sequence[DestinationSummary]) -> datetime | None:
    times = (summary.tested_at for summary in summaries if summary.state is Tab.SENT and summary.tested_at)
    return min(times, default=None)
