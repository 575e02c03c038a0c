"""What is not known about a destination, whatever its badge is: the further tabs of the list."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from webapp.dashboard.summaries import DestinationSummary, Tab
from webapp.deliveries.acceptance import is_stale
from webapp.deliveries.confirmation import is_unconfirmed


class Gap(StrEnum):
    """STALE: no message was accepted within 30 days. UNCONFIRMED: nobody confirmed the drill within 7 days."""

    STALE = "stale"
    UNCONFIRMED = "unconfirmed"

    @property
    def label(self) -> str:
        return {Gap.STALE: "Nothing accepted in 30 days", Gap.UNCONFIRMED: "Not confirmed in 7 days"}[self]


def find_gaps(summary: DestinationSummary, now: datetime) -> frozenset[Gap]:
    """Return the gaps of a destination. A disabled one has none, because nothing is expected of it."""
    if summary.state is Tab.DISABLED:
        return frozenset()
    found = {
        Gap.STALE: is_stale(summary.proof.acceptance, now),
        Gap.UNCONFIRMED: is_unconfirmed(summary.proof.confirmation),
    }
    return frozenset(gap for gap, is_found in found.items() if is_found)


def count_gaps(summaries: Sequence[DestinationSummary], now: datetime) -> dict[Gap, int]:
    """Return how many destinations have each gap."""
    counts = Counter(gap for summary in summaries for gap in find_gaps(summary, now))
    return {gap: counts[gap] for gap in Gap}
