"""The references of the messages that problems are about, for whoever looks for one at the receiver."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from webapp.deliveries.queries import IS_TEST_SEND
from webapp.extensions import db
from webapp.models import AlertDelivery, DestinationProblem, ProblemKind
from webapp.models.reference import ReferenceIn


def find_references(problems: Iterable[DestinationProblem]) -> Mapping[int, str]:
    """Return the references by problem id. Real alerts, deleted messages and drills to confirm have none."""
    delivery_ids = {
        problem.id: problem.delivery_id for problem in problems if problem.kind is not ProblemKind.UNCONFIRMED
    }
    query = select(AlertDelivery.id, ReferenceIn(AlertDelivery.payload)).where(
        AlertDelivery.id.in_(set(delivery_ids.values())), IS_TEST_SEND
    )
    references: dict[int, str] = {row[0]: row[1] for row in db.session.execute(query) if row[1]}
    return {id_: references[delivery] for id_, delivery in delivery_ids.items() if delivery in references}
