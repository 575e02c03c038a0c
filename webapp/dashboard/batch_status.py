"""Computes what the page says about a press on Test all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp.deliveries.worker_wait import lacks_worker
from webapp.presses.batch_progress import BatchProgress, measure_progress
from webapp.presses.eligibility import RequestResult
from webapp.presses.left_out_destinations import LeftOut

# Why one destination, and why several, were left out. In the order of the page.
REASONS = {
    RequestResult.TARGET_LIMIT: (
        "because too many tests went to its address within a minute",
        "because too many tests went to their addresses within a minute",
    ),
    RequestResult.WORKSPACE_LIMIT: ("because its workspace sent as many tests as it may within a minute",) * 2,
    RequestResult.COOLING_DOWN: (
        "because it was tested less than a minute ago",
        "because they were tested less than a minute ago",
    ),
    RequestResult.OTHER_TEST_WAITS: (
        "because another test of it waits to be sent",
        "because other tests of them wait to be sent",
    ),
    RequestResult.NOT_CONFIRMED: ("because it pages people", "because they page people"),
    RequestResult.DISABLED: ("because it is disabled", "because they are disabled"),
    RequestResult.QUEUE_UNAVAILABLE: ("because Alertcheck could not reach its queue",) * 2,
}


@dataclass(frozen=True)
class BatchStatus:
    """What the fragment shows.

    headline: how many tests are complete, without a full stop. left_out: a sentence, or None if every destination was
    tested. seconds_left, next_press_at: until and when the next press tests more of them; None if time does not help.
    lacks_worker: some tests wait for a worker, and no worker has a recent heartbeat.
    """

    progress: BatchProgress
    headline: str
    left_out: str | None
    seconds_left: int | None
    next_press_at: datetime | None
    lacks_worker: bool


def load_batch_status(workspace_id: int, batch: str, now: datetime) -> BatchStatus:
    """Load what the fragment shows. Executes two queries."""
    progress = measure_progress(workspace_id, batch)
    return BatchStatus(
        progress,
        describe_progress(progress),
        describe_left_out(progress.left_out),
        progress.seconds_left(now),
        progress.find_next_press(now),
        lacks_worker(progress.waits_since, now),
    )


def describe_progress(progress: BatchProgress) -> str:
    """Return how many of the requested tests are complete. "All" is claimed only if no destination was left out."""
    if not progress.total:
        return "No test was sent"
    if progress.ended < progress.total:
        return f"{progress.ended} of {progress.total} tests are complete"
    is_one, is_everything = progress.total == 1, progress.left_out == []
    if is_everything:
        return "The test is complete" if is_one else f"All {progress.total} tests are complete"
    return "The requested test is complete" if is_one else f"The {progress.total} requested tests are complete"


def describe_left_out(left_out: Sequence[LeftOut] | None) -> str | None:
    """Return how many destinations were left out and why, in one sentence, or None if there are none."""
    if left_out is None:
        return "Whether other destinations were left out is no longer known."
    counts = {part.reason: part.count for part in left_out}
    total = sum(counts.values())
    parts = [(counts[reason], words[counts[reason] > 1]) for reason, words in REASONS.items() if reason in counts]
    subject = "1 destination was left out" if total == 1 else f"{total} destinations were left out"
    if len(parts) == 1:
        return f"{subject} {parts[0][1]}."
    return f"{subject}: {', '.join(f'{count} {because}' for count, because in parts)}." if parts else None
