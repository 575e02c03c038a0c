"""Computes what the page says about a press on Test all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp.sends.eligibility import RequestResult
from webapp.sends.progress import LeftOut, Progress, measure_progress

# What is true of one destination, and of several, that were left out. In the order of the page.
REASONS = {
    RequestResult.TARGET_LIMIT: (
        "has an address that too many tests went to within a minute",
        "have an address that too many tests went to within a minute",
    ),
    RequestResult.WORKSPACE_LIMIT: (
        "exceeds the tests that this workspace may send within a minute",
        "exceed the tests that this workspace may send within a minute",
    ),
    RequestResult.COOLING_DOWN: ("was tested less than a minute ago", "were tested less than a minute ago"),
    RequestResult.DISABLED: ("is disabled", "are disabled"),
    RequestResult.QUEUE_UNAVAILABLE: (
        "was not tested because Alertcheck could not reach its queue",
        "were not tested because Alertcheck could not reach its queue",
    ),
}


@dataclass(frozen=True)
class BatchStatus:
    """What the fragment shows.

    headline: how many tests are complete, without a full stop. left_out: a sentence, or None if every destination was
    tested. seconds_left: until the next press tests more of them; None if time does not help.
    """

    progress: Progress
    headline: str
    left_out: str | None
    seconds_left: int | None


def load_batch_status(workspace_id: int, batch: str, now: datetime) -> BatchStatus:
    """Load what the fragment shows. Executes two queries."""
    progress = measure_progress(workspace_id, batch)
    return BatchStatus(
        progress, describe_progress(progress), describe_left_out(progress.left_out), progress.seconds_left(now)
    )


def describe_progress(progress: Progress) -> str:
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
    parts = [f"{counts[reason]} {REASONS[reason][counts[reason] > 1]}" for reason in REASONS if reason in counts]
    total = sum(counts.values())
    were = "destination was" if total == 1 else "destinations were"
    return f"{total} {were} left out: {', '.join(parts)}." if parts else None
