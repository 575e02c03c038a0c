"""Whether an accepted message counts for the present settings: the same for the age of a badge as for the drills."""

import pytest

from tests.factories import NOW, SeededIds, add_real_alert, get_destination, on_both_databases, seconds
from webapp.dashboard.summaries import list_summaries
from webapp.deliveries.last_acceptance import find_proof
from webapp.drills.traffic import list_accepted_traffic
from webapp.extensions import db
from webapp.models import DeliveryStatus


@on_both_databases
@pytest.mark.parametrize(
    ("version", "present", "changed_after", "expected"),
    [
        (2, 2, 60, True),
        (1, 2, 60, False),
        (1, 2, -60, False),
        (None, 1, 60, True),
        (None, 2, 1, False),
        (None, 2, 0, True),
        (None, 2, -60, True),
    ],
)
def test_a_message_counts_if_it_was_sent_with_the_present_settings_as_far_as_is_recorded(
    context: None, seeded: SeededIds, version: int | None, present: int, changed_after: float, expected: bool
) -> None:
    """changed_after: seconds from the request of the message to the newest change of its destination."""
    destination = get_destination(seeded)
    add_real_alert(destination, settings_version=version, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW)
    destination.settings_version, destination.updated_at = present, NOW + seconds(changed_after)
    db.session.commit()

    (summary,) = list_summaries([seeded.harbor], NOW)
    is_proof = find_proof(summary.proof.acceptance) is not None

    assert (is_proof, seeded.destination in list_accepted_traffic([seeded.destination], NOW)) == (expected, expected)
