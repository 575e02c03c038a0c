"""Whether an accepted message counts for the present settings: the same for the age of a badge as for the drills."""

import pytest

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.dashboard.stale_destinations import list_stale
from webapp.dashboard.summaries import list_summaries
from webapp.deliveries.last_acceptance import find_proof
from webapp.drills.traffic import list_accepted_traffic
from webapp.extensions import db
from webapp.models import DeliveryStatus

FAILED = {"status": DeliveryStatus.FAILED, "last_error_code": "gone"}


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


@on_both_databases
@pytest.mark.parametrize(
    ("versions", "age", "expected"),
    [((2,), 60, True), ((2,), 0, True), ((2,), -60, False), ((1,), 60, False), ((1, 2), 60, True), ((2, 1), 60, False)],
)
def test_a_real_alert_after_a_test_of_the_present_settings_counts_although_the_name_was_changed_since(
    context: None, seeded: SeededIds, versions: tuple[int, ...], age: float, expected: bool
) -> None:
    """versions: those of the tests, the newest last. age: seconds from the newest one to the real alert."""
    destination = get_destination(seeded)
    for number, version in enumerate(reversed(versions)):
        add_delivery(destination, settings_version=version, created_at=NOW - seconds(age + number), **FAILED)
    add_real_alert(destination, settings_version=None, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW)
    destination.settings_version, destination.updated_at = 2, NOW + seconds(60)
    db.session.commit()

    (summary,) = list_summaries([seeded.harbor], NOW)

    assert (find_proof(summary.proof.acceptance) is not None) is expected
    assert (list_stale([seeded.harbor], NOW) == []) is expected
    assert list_accepted_traffic([seeded.destination], NOW) == (
        {seeded.destination: NOW} if age >= 0 and expected else {}
    )
