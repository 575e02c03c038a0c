"""What is not known about a destination, whatever its badge is: the further tabs of the list."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from webapp.dashboard.summaries import DestinationSummary, Tab
from webapp.deliveries.drill_confirmation import is_unconfirmed
from webapp.deliveries.staleness import STALE_AFTER, is_stale


class ProofGap(StrEnum):
    """STALE: no message was accepted within 30 days. UNCONFIRMED: nobody confirmed the drill within 7 days."""

    STALE = "stale"
    UNCONFIRMED = "unconfirmed"

    @property
    def label(self) -> str:
        return {ProofGap.STALE: "Nothing accepted in 30 days", ProofGap.UNCONFIRMED: "Not confirmed in 7 days"}[self]


# By whether it is stale, and unconfirmed. Made once, because each list asks for every destination.
_FOUND = {
    (False, False): frozenset[ProofGap](),
    (False, True): frozenset({ProofGap.UNCONFIRMED}),
    (True, False): frozenset({ProofGap.STALE}),
    (True, True): frozenset(ProofGap),
}


def find_gaps(summary: DestinationSummary, now: datetime) -> frozenset[ProofGap]:
    """Return the gaps of a destination. A disabled one has none, because nothing is expected of it."""
    if summary.state is Tab.DISABLED:
        return _FOUND[False, False]
    return _FOUND[is_stale(summary.proof.acceptance, now), is_unconfirmed(summary.proof.confirmation)]


def find_next_stale(summaries: Sequence[DestinationSummary], now: datetime) -> datetime | None:
    """Return when a destination next becomes stale, or None. Each query finds again who is unconfirmed."""
    limit = now - STALE_AFTER
    times = (summary.proof.acceptance.at for summary in summaries if summary.proof.acceptance)
    first = min((at for at in times if at > limit), default=None)
    return first + STALE_AFTER if first else None


def count_gaps(summaries: Sequence[DestinationSummary], now: datetime) -> dict[ProofGap, int]:
    """Return how many destinations have each gap."""
    counts = Counter(gap for summary in summaries for gap in find_gaps(summary, now))
    return {gap: counts[gap] for gap in ProofGap}
