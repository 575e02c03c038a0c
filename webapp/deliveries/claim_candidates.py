"""What a claim reads of a delivery, its destination and its workspace: plain rows, as objects take twice as long."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select

from webapp.deliveries.newest_deliveries import newest_test_id_subquery
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, Workspace
from webapp.models.destination import make_encryption_context


class CandidateDestination(NamedTuple):
    """A destination, under the names of `AlertDestination`."""

    id: int
    workspace_id: int
    name: str
    type: str
    config: str
    is_enabled: bool
    settings_version: int
    deleted_at: datetime | None

    @property
    def encryption_context(self) -> str:
        """Return the encryption context; see `AlertDestination`."""
        return make_encryption_context(self.workspace_id, self.id)


class ClaimCandidate(NamedTuple):
    """A delivery that may be claimed, under the names of `AlertDelivery`.

    newest_test: the id of the destination's newest test send. workspace_slug: that of its workspace.
    """

    id: int
    workspace_id: int
    alert_destination_id: int
    alert_rule_id: int | None
    event_type: str
    status: DeliveryStatus
    attempt_count: int
    attempt_started_at: datetime | None
    attempts: list[dict[str, Any]] | None
    settings_version: int | None
    payload: Any
    created_at: datetime
    destination: CandidateDestination
    newest_test: int | None
    workspace_slug: str


AnyDestination = AlertDestination | CandidateDestination

_OWN = ClaimCandidate._fields[: ClaimCandidate._fields.index("destination")]
_OWN_COLUMNS: Sequence[ColumnElement[Any]] = [getattr(AlertDelivery, name) for name in _OWN]
_DESTINATION_COLUMNS: Sequence[ColumnElement[Any]] = [
    getattr(AlertDestination, name) for name in CandidateDestination._fields
]


def select_candidates() -> Select[*tuple[Any, ...]]:
    """Return the query for the rows that `read_candidate` reads."""
    columns = (*_OWN_COLUMNS, *_DESTINATION_COLUMNS, newest_test_id_subquery(), Workspace.slug)
    return (
        select(*columns)
        .select_from(AlertDelivery)
        .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
        .join(Workspace, Workspace.id == AlertDestination.workspace_id)
    )


def read_candidate(row: Sequence[Any]) -> ClaimCandidate:
    """Return the candidate in a row."""
    end = len(_OWN) + len(_DESTINATION_COLUMNS)
    return ClaimCandidate._make((*row[: len(_OWN)], CandidateDestination._make(row[len(_OWN) : end]), *row[end:]))
