"""What shows that a destination works: the newest message it accepted, and the newest drill that people confirm."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVarTuple

from sqlalchemy import Select

from webapp.deliveries.acceptance import ACCEPTANCE_COLUMNS, ACCEPTED, Acceptance
from webapp.deliveries.confirmation import CONFIRMATION_COLUMNS, DRILL, DRILL_ID, Confirmation
from webapp.deliveries.queries import newest_accepted_id_subquery

Columns = TypeVarTuple("Columns")

PROOF_COLUMNS = (*ACCEPTANCE_COLUMNS, *CONFIRMATION_COLUMNS)


class Proof(NamedTuple):
    """acceptance: None if nothing was ever accepted. confirmation: None if none is needed, or without a drill."""

    acceptance: Acceptance | None = None
    confirmation: Confirmation | None = None


NO_PROOF = Proof()


def join_proof(query: Select[*Columns]) -> Select[*Columns]:
    """Join what `PROOF_COLUMNS` needs to a query of destinations. The cost is independent of past deliveries."""
    return query.outerjoin(ACCEPTED, ACCEPTED.id == newest_accepted_id_subquery()).outerjoin(
        DRILL, DRILL.id == DRILL_ID
    )


def read_proof(columns: Sequence[Any]) -> Proof:
    """Return the proof in the `PROOF_COLUMNS` of a row."""
    delivery_id, at, is_outdated = columns[: len(ACCEPTANCE_COLUMNS)]
    drill = columns[len(ACCEPTANCE_COLUMNS) :]
    return Proof(
        Acceptance(delivery_id, at, bool(is_outdated)) if delivery_id is not None else None,
        Confirmation(*drill) if drill[0] is not None else None,
    )
