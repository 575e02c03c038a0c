"""What shows that a destination works: the newest message it accepted, and the newest drill that people confirm."""

from collections.abc import Sequence
from typing import NamedTuple

from webapp.deliveries.drill_confirmation import CONFIRMATION, Confirmation, read_confirmation
from webapp.deliveries.last_acceptance import ACCEPTANCE, Acceptance, read_acceptance
from webapp.models.json_array import read_arrays

# For a query of destinations. The cost is independent of past deliveries.
PROOF_COLUMNS = (ACCEPTANCE, CONFIRMATION)


class Proof(NamedTuple):
    """acceptance: None if nothing was ever accepted. confirmation: None if none is needed, or without a drill."""

    acceptance: Acceptance | None = None
    confirmation: Confirmation | None = None


NO_PROOF = Proof()


def read_proofs(acceptances: Sequence[str | None], confirmations: Sequence[str | None]) -> list[Proof]:
    """Return the proof of each destination, from their `PROOF_COLUMNS`."""
    facts = zip(read_arrays(acceptances), read_arrays(confirmations), strict=True)
    return [Proof(read_acceptance(acceptance), read_confirmation(drill)) for acceptance, drill in facts]
