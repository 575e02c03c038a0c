"""What shows that a destination works: the newest message it accepted, and the newest drill that people confirm."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from webapp.database.query_plans import PLAN_ONCE
from webapp.deliveries.drill_confirmation import CONFIRMATION, Confirmation, confirmation_times, read_confirmation
from webapp.deliveries.last_acceptance import ACCEPTANCE, Acceptance, read_acceptance
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.models.id_list import IsOneOf
from webapp.models.json_array import read_arrays

# For a query of destinations. The cost is independent of past deliveries.
PROOF_COLUMNS = (ACCEPTANCE, CONFIRMATION)


class Proof(NamedTuple):
    """acceptance: None if nothing was ever accepted. confirmation: None if none is needed, or without a drill."""

    acceptance: Acceptance | None = None
    confirmation: Confirmation | None = None


NO_PROOF = Proof()


def list_proofs(destination_ids: Sequence[int], now: datetime) -> dict[int, Proof]:
    """Return the proof of each of these destinations. Executes one query."""
    facts = {"destination_ids": destination_ids} | confirmation_times(now)
    rows = db.session.connection().execute(_PROOFS, facts).all()
    proofs = read_proofs([row[1] for row in rows], [row[2] for row in rows])
    return {row[0]: proof for row, proof in zip(rows, proofs, strict=True)}


def read_proofs(acceptances: Sequence[str | None], confirmations: Sequence[str | None]) -> list[Proof]:
    """Return the proof of each destination, from their `PROOF_COLUMNS`."""
    facts = zip(read_arrays(acceptances), read_arrays(confirmations), strict=True)
    return [Proof(read_acceptance(acceptance), read_confirmation(drill)) for acceptance, drill in facts]


_PROOFS = (
    select(AlertDestination.id, *PROOF_COLUMNS)
    .where(IsOneOf(AlertDestination.id, "destination_ids"))
    .execution_options(**{PLAN_ONCE: True})
)
