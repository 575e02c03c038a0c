"""Whether a destination may be told about the problems of the others: it has to work, and it must not page people."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from webapp.channels import PAGING_CHANNELS
from webapp.deliveries.newest_deliveries import newest_test_id_subquery
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, DestinationProblem, Receipt
from webapp.presses.eligibility import pages_people

# Destinations that are offered. A workspace with more than these has chosen from its first ones, by name.
MAX_OFFERED = 200


class Obstacle(StrEnum):
    """Why a destination is not told. They are stored as the code of a notice that was skipped."""

    DELETED = "target_deleted"
    DISABLED = "target_disabled"
    PAGES_PEOPLE = "target_pages_people"
    UNTESTED = "target_untested"
    REPORTED_MISSING = "target_reported_missing"
    HAS_PROBLEM = "target_has_problem"
    SAME_CHANNEL = "target_same_channel"
    NOT_CHOSEN = "target_not_chosen"


_SENTENCES = {
    Obstacle.DELETED: "It was deleted.",
    Obstacle.DISABLED: "It is disabled.",
    Obstacle.PAGES_PEOPLE: "It pages people.",
    Obstacle.UNTESTED: "Its newest test was not accepted with the present settings.",
    Obstacle.REPORTED_MISSING: "Somebody reported that its newest test did not arrive.",
    Obstacle.HAS_PROBLEM: "It has a problem of its own.",
    Obstacle.SAME_CHANNEL: "A destination of the same channel has a problem, and both may have the same cause.",
    Obstacle.NOT_CHOSEN: "Another destination is chosen now, or none.",
}
_TEST_FIRST = "Send it a test. It can be told once the test is accepted."
_NEXT_STEPS = {
    Obstacle.DELETED: "Choose another destination.",
    Obstacle.DISABLED: "Enable it, or choose another destination.",
    Obstacle.PAGES_PEOPLE: "Choose a destination that does not page people.",
    Obstacle.UNTESTED: _TEST_FIRST,
    Obstacle.REPORTED_MISSING: "Look for the cause on its page, then send it a test.",
    Obstacle.HAS_PROBLEM: "Look for the cause in the list of open problems, or choose another destination.",
    Obstacle.SAME_CHANNEL: "Choose a destination of another channel.",
}

# Whether the destination of the outer query has an open problem. A claim checks it again.
HAS_OPEN_PROBLEM = (
    exists()
    .where(DestinationProblem.alert_destination_id == AlertDestination.id, DestinationProblem.closed_at.is_(None))
    .correlate(AlertDestination)
)


@dataclass(frozen=True)
class ChosenHealth:
    """What is known of a destination that may be told. obstacle: why it is not told now, or None.

    shares_broken_channel: whether another destination of its channel has an open problem.
    """

    destination: AlertDestination
    obstacle: Obstacle | None
    shares_broken_channel: bool

    @property
    def obstacle_to_choice(self) -> Obstacle | None:
        """Why it cannot be chosen now. Once it is chosen, only the problems of its own channel are not told to it."""
        return self.obstacle or (Obstacle.SAME_CHANNEL if self.shares_broken_channel else None)


def describe_obstacle(code: str | None) -> str:
    """Return why a destination is not told, or an empty text if nothing prevents it."""
    return _SENTENCES[Obstacle(code)] if code in list(Obstacle) else ""


def describe_obstacle_step(code: str | None) -> str | None:
    """Return what to do about it, or None."""
    return _NEXT_STEPS.get(Obstacle(code)) if code in list(Obstacle) else None


def load_health(destination_id: int) -> ChosenHealth:
    """Load one destination. It exists: its row outlives its deletion."""
    broken = aliased(AlertDestination)
    is_channel_broken = exists().where(
        broken.workspace_id == AlertDestination.workspace_id,
        broken.id != AlertDestination.id,
        broken.type == AlertDestination.type,
        DestinationProblem.alert_destination_id == broken.id,
        DestinationProblem.closed_at.is_(None),
    )
    query = (
        select(AlertDestination, AlertDelivery, HAS_OPEN_PROBLEM, is_channel_broken)
        .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
        .where(AlertDestination.id == destination_id)
        .execution_options(populate_existing=True)
    )
    destination, newest_test, has_problem, shares_broken_channel = db.session.execute(query).one()
    return ChosenHealth(destination, _find_obstacle(destination, newest_test, has_problem), shares_broken_channel)


def list_offered(workspace_id: int) -> Sequence[AlertDestination]:
    """Return the destinations of a workspace that an admin may try to choose, by name. Their health is checked then."""
    usable = (
        select(AlertDestination)
        .where(AlertDestination.workspace_id == workspace_id, AlertDestination.type.not_in(PAGING_CHANNELS))
        .where(AlertDestination.is_enabled, AlertDestination.deleted_at.is_(None))
        .order_by(AlertDestination.name, AlertDestination.id)
        .limit(MAX_OFFERED)
    )
    return db.session.scalars(usable).all()


def _find_obstacle(
    destination: AlertDestination, newest_test: AlertDelivery | None, has_problem: bool
) -> Obstacle | None:
    """Return why a destination is not told now, or None."""
    if destination.deleted_at is not None:
        return Obstacle.DELETED
    if not destination.is_enabled:
        return Obstacle.DISABLED
    if pages_people(destination.type):
        return Obstacle.PAGES_PEOPLE
    if has_problem:
        return Obstacle.HAS_PROBLEM
    if newest_test is None or newest_test.status is not DeliveryStatus.SENT:
        return Obstacle.UNTESTED
    if newest_test.settings_version != destination.settings_version:
        return Obstacle.UNTESTED
    return Obstacle.REPORTED_MISSING if newest_test.receipt is Receipt.MISSING else None
